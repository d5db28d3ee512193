//! TLS in front of a test server, with a certificate that an authority of our own has signed, as MinIO's often is.
//!
//! The certificates are good for a century, and the authority's own key is nowhere.

use std::net::SocketAddr;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// The certificate of the authority, as PEM.
pub const AUTHORITY: &str = include_str!("authority.pem");
const CERTIFICATE: &str = include_str!("server.pem");
const KEY: &str = include_str!("server.key");

/// Passes on what comes in by TLS to `server`, as long as the process lives; gives the endpoint.
pub fn in_front_of(server: SocketAddr) -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("the port that was bound").port();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(pass_on(listener, server));
    });
    format!("https://localhost:{port}")
}

async fn pass_on(listener: std::net::TcpListener, server: SocketAddr) {
    listener.set_nonblocking(true).expect("a listener that does not block");
    let listener = TcpListener::from_std(listener).expect("a listener");
    let acceptor = acceptor();
    while let Ok((client, _)) = listener.accept().await {
        let acceptor = acceptor.clone();
        tokio::spawn(async move {
            // Whoever does not trust us hangs up.
            let Ok(mut client) = acceptor.accept(client).await else { return };
            let mut server = TcpStream::connect(server).await.expect("the server behind");
            let _ended = copy_bidirectional(&mut client, &mut server).await;
        });
    }
}

fn acceptor() -> TlsAcceptor {
    let chain =
        CertificateDer::pem_slice_iter(CERTIFICATE.as_bytes()).map(|read| read.expect("a certificate")).collect();
    let key = PrivateKeyDer::from_pem_slice(KEY.as_bytes()).expect("a key");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.expect("protocols").with_no_client_auth().with_single_cert(chain, key);
    TlsAcceptor::from(Arc::new(config.expect("a certificate and its key")))
}
