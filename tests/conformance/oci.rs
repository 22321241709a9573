//! Registries: a layout, archives, and a Distribution server that this suite starts itself.

mod archive;
mod images;
mod layout;
mod server;

use cve_monitor_core::testkit::laws;

use crate::rows::Rows;

pub(crate) fn register(rows: &mut Rows) {
    rows.add("registry", "oci_layout", laws::registry::LAWS, || {
        Box::pin(async { Ok(Box::new(layout::Layout::new().await) as _) })
    });
    rows.add("registry", "oci_archive", laws::registry::LAWS, || {
        Box::pin(async { Ok(Box::new(archive::Archive::oci().await) as _) })
    });
    rows.add("registry", "docker_archive", laws::registry::LAWS, || {
        Box::pin(async { Ok(Box::new(archive::Archive::docker().await) as _) })
    });
    rows.add("registry", "distribution", laws::registry::LAWS, || {
        Box::pin(async { server::Distribution::start().await.map(|server| Box::new(server) as _) })
    });
}
