//! An ECR in memory with several accounts and regions, as its API reference describes it: AWS JSON 1.1, digests that
//! are right, pages, failures, pre-signed addresses that expire, archived images, and the STS that lends roles.
//!
//! * the account: of the access key, `AKIA` and twelve digits (else 123456789012), or of the role that was assumed
//! * the region: of the signature's scope; signatures themselves are not checked
//! * an account sees nothing of another: that takes a role (`AssumeRole`, with the external id where one is demanded)
//! * the registry's own protocol: under `/ACCOUNT/REGION/v2/`, as one address serves all
//! * layers: at an origin of their own, as S3 is
//! * what a test does to it: [`FakeEcr::world`], or its pages under `/_control` from another process

mod control;
mod distribution;
mod events;
mod layout;
mod operations;
mod server;
mod store;
mod sts;
mod world;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub use self::events::send;
pub use self::layout::Pushed;
use self::server::Shared;
pub use self::sts::{ROLE_SECRET, ROLE_SESSION};
pub use self::world::{Fault, PASSWORDS, Place, Status, World, digest_of};

/// A running ECR; it ends when dropped.
#[derive(Debug)]
pub struct FakeEcr {
    shared: Arc<Shared>,
    address: SocketAddr,
    tasks: [JoinHandle<()>; 2],
}

impl FakeEcr {
    /// Starts an empty one on free loopback ports.
    ///
    /// # Panics
    /// Where there is none.
    pub async fn start() -> Self {
        Self::listen("127.0.0.1:0").await.expect("a free port")
    }

    /// Starts an empty one that answers here; its layer store is on a free port of the same host.
    ///
    /// # Errors
    /// Where the address is taken.
    pub async fn listen(address: &str) -> std::io::Result<Self> {
        let api = TcpListener::bind(address).await?;
        let address = api.local_addr()?;
        let layers = TcpListener::bind((address.ip(), 0)).await?;
        let store = format!("http://{}", layers.local_addr()?);
        let shared = Arc::new(Shared { world: Mutex::default(), store });
        let routers =
            [(api, server::router(Arc::clone(&shared))), (layers, store::router(Arc::clone(&shared)))];
        let tasks = routers.map(|(listener, router)| {
            tokio::spawn(async move {
                let _ = axum::serve(listener, router).await;
            })
        });
        Ok(Self { shared, address, tasks })
    }

    /// Where its API is, and that of STS.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where the registry's own protocol is spoken for an account and region.
    #[must_use]
    pub fn registry_url(&self, account: &str, region: &str) -> String {
        format!("http://{}/{account}/{region}/", self.address)
    }

    /// What it holds, to be changed. Not to be kept across an await.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.shared.world()
    }
}

impl Drop for FakeEcr {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}
