locals {
  descriptions = {
    clair-db  = "Password of Clair's database"
    clair-psk = "Key, in base64, that signs the requests to Clair and its notifications"
  }

  given = {
    clair-db  = var.db_password
    clair-psk = var.clair_psk
  }
}

# Made anew on every run, and written only when the revision changes. 64 letters and digits are base64 of 48 bytes, too.
ephemeral "aws_secretsmanager_random_password" "this" {
  for_each            = var.generate ? local.descriptions : {}
  password_length     = 64
  exclude_punctuation = true
}

resource "aws_secretsmanager_secret" "this" {
  for_each                = local.descriptions
  name                    = "${var.name}/${each.key}"
  description             = each.value
  kms_key_id              = var.kms_key_arn
  recovery_window_in_days = var.recovery_days
}

resource "aws_secretsmanager_secret_version" "this" {
  for_each  = local.descriptions
  secret_id = aws_secretsmanager_secret.this[each.key].id

  secret_string_wo = (
    var.generate ? ephemeral.aws_secretsmanager_random_password.this[each.key].random_password : local.given[each.key]
  )
  secret_string_wo_version = var.revision
}

# The database gets what was stored, not what was made in this run: after a run that broke off between the two they would differ.
ephemeral "aws_secretsmanager_secret_version" "db" {
  count     = var.generate ? 1 : 0
  secret_id = aws_secretsmanager_secret_version.this["clair-db"].secret_id
}
