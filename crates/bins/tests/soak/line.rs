//! A line to a server that can be cut.

use std::collections::BTreeMap;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// Passes bytes on in both directions, until it is cut.
pub(crate) struct Line {
    /// Where it begins.
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    server: SocketAddr,
    is_cut: AtomicBool,
    open: Mutex<BTreeMap<u64, [TcpStream; 2]>>,
}

impl Line {
    pub(crate) fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared { server, is_cut: AtomicBool::new(false), open: Mutex::default() });
        let passing = Arc::clone(&shared);
        std::thread::spawn(move || {
            for (number, stream) in (0..).zip(listener.incoming()) {
                if let Ok(stream) = stream {
                    // Where it is cut, or the server away, the connection ends here.
                    let _ = passing.pass(number, stream);
                }
            }
        });
        Self { address, shared }
    }

    /// Ends every connection, and lets none come through until it is mended.
    pub(crate) fn cut(&self) {
        self.shared.is_cut.store(true, Ordering::SeqCst);
        for stream in std::mem::take(&mut *self.shared.open.lock().unwrap()).into_values().flatten() {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    pub(crate) fn mend(&self) {
        self.shared.is_cut.store(false, Ordering::SeqCst);
    }
}

impl Shared {
    fn pass(self: &Arc<Self>, number: u64, client: TcpStream) -> std::io::Result<()> {
        if self.is_cut.load(Ordering::SeqCst) {
            return Ok(());
        }
        let server = TcpStream::connect(self.server)?;
        let ends = [client.try_clone()?, server.try_clone()?];
        self.open.lock().unwrap().insert(number, ends);
        for (mut from, mut to) in [(client.try_clone()?, server.try_clone()?), (server, client)] {
            let shared = Arc::clone(self);
            std::thread::spawn(move || {
                let _ = std::io::copy(&mut from, &mut to);
                let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
                shared.open.lock().unwrap().remove(&number);
            });
        }
        Ok(())
    }
}
