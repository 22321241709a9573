//! `terraform providers schema -json | reduce-schema VERSION`: writes the schema of a provider, reduced to what is used.

use std::io::Read as _;
use std::process::ExitCode;

use cve_monitor_terraform::code::Code;
use cve_monitor_terraform::root;
use cve_monitor_terraform::schema::Schema;

fn main() -> ExitCode {
    match reduced() {
        Ok(text) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn reduced() -> Result<String, String> {
    let version =
        std::env::args().nth(1).ok_or("say which version of the provider this is, as in 5.100.0")?;
    let mut full = String::new();
    std::io::stdin().read_to_string(&mut full).map_err(|error| error.to_string())?;
    let full = serde_json::from_str(&full).map_err(|error| format!("what came is no JSON: {error}"))?;
    let schema = Schema::reduced(&full, &version, &Code::read(&root())?)?;
    schema.written().map_err(|error| error.to_string())
}
