resource "aws_db_subnet_group" "this" {
  name       = "${var.name}-clair"
  subnet_ids = var.subnet_ids
}

resource "aws_security_group" "this" {
  name_prefix = "${var.name}-db-"
  description = "Clair's PostgreSQL"
  vpc_id      = var.vpc_id

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "this" {
  security_group_id            = aws_security_group.this.id
  description                  = "PostgreSQL from Clair"
  referenced_security_group_id = var.client_security_group_id
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
}

resource "aws_db_parameter_group" "this" {
  name_prefix = "${var.name}-clair-"
  family      = "postgres16"

  parameter {
    name  = "rds.force_ssl"
    value = "1"
  }

  lifecycle {
    create_before_destroy = true
  }
}

# The password is ours and written once for each revision: one that RDS manages would be rotated, and Clair reads it at its start only.
resource "aws_db_instance" "this" {
  identifier                      = "${var.name}-clair"
  engine                          = "postgres"
  engine_version                  = "16"
  instance_class                  = var.instance_class
  db_name                         = "clair"
  username                        = "clair"
  password_wo                     = var.password
  password_wo_version             = var.password_revision
  allocated_storage               = var.allocated_storage
  max_allocated_storage           = var.allocated_storage * 4
  storage_type                    = "gp3"
  storage_encrypted               = true
  kms_key_id                      = var.kms_key_arn
  multi_az                        = var.multi_az
  publicly_accessible             = false
  db_subnet_group_name            = aws_db_subnet_group.this.name
  vpc_security_group_ids          = [aws_security_group.this.id]
  parameter_group_name            = aws_db_parameter_group.this.name
  backup_retention_period         = var.protect_data ? 7 : 1
  copy_tags_to_snapshot           = true
  auto_minor_version_upgrade      = true
  enabled_cloudwatch_logs_exports = ["postgresql"]
  deletion_protection             = var.protect_data
  skip_final_snapshot             = !var.protect_data
  final_snapshot_identifier       = var.protect_data ? "${var.name}-clair-final" : null
}
