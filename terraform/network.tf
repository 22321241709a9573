# Who talks to whom: the workers to Clair, Clair to the notifier, Clair to its database; all of them to AWS.
resource "aws_security_group" "clair" {
  name_prefix = "${local.name}-clair-"
  description = "Clair"
  vpc_id      = module.network.vpc_id

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_security_group" "workers" {
  name_prefix = "${local.name}-workers-"
  description = "ingest, notifier and reconciler"
  vpc_id      = module.network.vpc_id

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "clair" {
  security_group_id            = aws_security_group.clair.id
  description                  = "Clair, from the workers"
  referenced_security_group_id = aws_security_group.workers.id
  ip_protocol                  = "tcp"
  from_port                    = local.clair_port
  to_port                      = local.clair_port
}

resource "aws_vpc_security_group_ingress_rule" "notifier" {
  security_group_id            = aws_security_group.workers.id
  description                  = "Notifications of Clair"
  referenced_security_group_id = aws_security_group.clair.id
  ip_protocol                  = "tcp"
  from_port                    = local.notifier_port
  to_port                      = local.notifier_port
}

resource "aws_vpc_security_group_egress_rule" "this" {
  for_each          = { clair = aws_security_group.clair.id, workers = aws_security_group.workers.id }
  security_group_id = each.value
  description       = "AWS, registries and the sources of Clair's data"
  ip_protocol       = "-1"
  cidr_ipv4         = "0.0.0.0/0"
}

resource "aws_service_discovery_private_dns_namespace" "this" {
  name        = "${local.name}.internal"
  description = "Names of the services for one another"
  vpc         = module.network.vpc_id
}
