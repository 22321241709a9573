# Instances of our own: only in a cluster of our own, with launch_type EC2.
data "aws_ssm_parameter" "ami" {
  count = local.instances && var.ami_id == null ? 1 : 0
  name  = "/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended/image_id"
}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ec2.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "this" {
  count              = local.instances ? 1 : 0
  name               = "${var.name}-instance"
  assume_role_policy = data.aws_iam_policy_document.trust.json
}

resource "aws_iam_role_policy_attachment" "this" {
  for_each   = local.instances ? toset(["service-role/AmazonEC2ContainerServiceforEC2Role", "AmazonSSMManagedInstanceCore"]) : toset([])
  role       = aws_iam_role.this[0].name
  policy_arn = "arn:${var.partition}:iam::aws:policy/${each.value}"
}

resource "aws_iam_instance_profile" "this" {
  count = local.instances ? 1 : 0
  name  = "${var.name}-instance"
  role  = aws_iam_role.this[0].name
}

resource "aws_security_group" "this" {
  count       = local.instances ? 1 : 0
  name_prefix = "${var.name}-instances-"
  description = "Instances of the cluster; tasks have groups of their own"
  vpc_id      = var.vpc_id

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_egress_rule" "this" {
  count             = local.instances ? 1 : 0
  security_group_id = aws_security_group.this[0].id
  description       = "AWS and registries"
  ip_protocol       = "-1"
  cidr_ipv4         = "0.0.0.0/0"
}

resource "aws_launch_template" "this" {
  count                  = local.instances ? 1 : 0
  name_prefix            = "${var.name}-"
  image_id               = var.ami_id == null ? nonsensitive(data.aws_ssm_parameter.ami[0].value) : var.ami_id
  instance_type          = var.instance_type
  key_name               = var.key_name
  user_data              = base64encode("#!/bin/bash\necho ECS_CLUSTER=${aws_ecs_cluster.this[0].name} >> /etc/ecs/ecs.config\n")
  vpc_security_group_ids = aws_security_group.this[*].id

  iam_instance_profile {
    arn = aws_iam_instance_profile.this[0].arn
  }

  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  block_device_mappings {
    device_name = "/dev/xvda"

    ebs {
      volume_type = "gp3"
      volume_size = var.volume_gib
      encrypted   = true
    }
  }

  # The provider's default tags reach neither what a template starts nor a group's instances.
  dynamic "tag_specifications" {
    for_each = ["instance", "volume"]

    content {
      resource_type = tag_specifications.value
      tags          = merge(var.tags, { Name = "${var.name}-ecs" })
    }
  }
}

resource "aws_autoscaling_group" "this" {
  count                 = local.instances ? 1 : 0
  name_prefix           = "${var.name}-"
  min_size              = var.instances
  desired_capacity      = var.instances
  max_size              = var.instances * 2
  vpc_zone_identifier   = var.subnet_ids
  protect_from_scale_in = true
  force_delete          = true

  launch_template {
    id      = aws_launch_template.this[0].id
    version = aws_launch_template.this[0].latest_version
  }

  dynamic "tag" {
    for_each = merge(var.tags, { AmazonECSManaged = "true" })

    content {
      key                 = tag.key
      value               = tag.value
      propagate_at_launch = true
    }
  }

  lifecycle {
    ignore_changes = [desired_capacity]
  }
}

resource "aws_ecs_capacity_provider" "this" {
  count = local.instances ? 1 : 0
  name  = "${var.name}-instances"

  auto_scaling_group_provider {
    auto_scaling_group_arn         = aws_autoscaling_group.this[0].arn
    managed_termination_protection = "ENABLED"

    managed_scaling {
      status          = "ENABLED"
      target_capacity = 100
    }
  }
}
