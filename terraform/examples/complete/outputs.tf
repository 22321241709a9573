output "report_bucket" {
  description = "The bucket of reports."
  value       = module.monitor.report_bucket
}

output "reconcile_command" {
  description = "Starts a comparison of the registries now."
  value       = module.monitor.reconcile_command
}
