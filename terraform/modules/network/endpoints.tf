# ECR's layers lie in S3. Through the gateway endpoint, which is free, they, the reports and the tables bypass the NAT gateway, which
# charges for every byte. In an existing VPC it is made where its route tables are given.
resource "aws_vpc_endpoint" "gateway" {
  for_each          = length(local.private_route_table_ids) > 0 ? toset(["s3", "dynamodb"]) : toset([])
  vpc_id            = local.vpc_id
  vpc_endpoint_type = "Gateway"
  service_name      = "com.amazonaws.${var.region}.${each.value}"
  route_table_ids   = local.private_route_table_ids
  tags              = { Name = "${var.name}-${each.value}" }
}

resource "aws_security_group" "endpoints" {
  count       = local.create && length(var.interface_endpoints) > 0 ? 1 : 0
  name_prefix = "${var.name}-endpoints-"
  description = "Interface endpoints"
  vpc_id      = local.vpc_id

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "endpoints" {
  count             = length(aws_security_group.endpoints)
  security_group_id = aws_security_group.endpoints[0].id
  description       = "HTTPS from the VPC"
  cidr_ipv4         = var.cidr
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_vpc_endpoint" "interface" {
  for_each            = local.create ? var.interface_endpoints : toset([])
  vpc_id              = local.vpc_id
  vpc_endpoint_type   = "Interface"
  service_name        = "com.amazonaws.${var.region}.${each.value}"
  subnet_ids          = local.private_subnet_ids
  security_group_ids  = aws_security_group.endpoints[*].id
  private_dns_enabled = true
  tags                = { Name = "${var.name}-${each.value}" }
}
