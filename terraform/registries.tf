locals {
  registries = [
    for registry in var.registries : {
      account_id  = coalesce(registry.account_id, local.account_id)
      region      = coalesce(registry.region, var.region)
      role_arn    = registry.role_arn
      external_id = registry.external_id
    }
  ]

  # Those whose events do not reach our bus by themselves.
  elsewhere = [
    for registry in local.registries : registry if registry.account_id != local.account_id || registry.region != var.region
  ]

  own     = [for registry in local.registries : registry if registry.role_arn == null]
  by_role = [for registry in local.registries : registry.role_arn if registry.role_arn != null]
}
