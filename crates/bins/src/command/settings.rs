//! `config` and `completions`.

use std::io::Write as _;

use crate::cli::{self, Cli, Completions, ConfigAction, ConfigCommand, EXIT_OK};
use crate::config;
use crate::runtime::Failure;

pub(super) fn config(cli: &Cli, asked: &ConfigCommand) -> Result<u8, Failure> {
    match &asked.command {
        ConfigAction::Init { path } => {
            let path = path.clone().unwrap_or_else(config::default_init_path);
            config::init(&path)?;
            println!("wrote {}; it names every key, `cve-monitor config check` reads it", path.display());
        }
        ConfigAction::Show => super::put(&config::show(&config::load(&cli.overrides())?))?,
        ConfigAction::Check => super::put(&config::checked(&config::load(&cli.overrides())?))?,
    }
    Ok(EXIT_OK)
}

pub(super) fn completions(asked: &Completions) -> Result<u8, Failure> {
    std::io::stdout().write_all(&cli::completions(asked.shell)).map_err(Failure::of)?;
    Ok(EXIT_OK)
}
