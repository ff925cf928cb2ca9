//! The browser page of a network: shows it live, and lets a person hurt it.
//!
//! ```text
//! nodes ──► watch ──► Board ── /api/stream ──► page
//! engine ◄── faults ◄── Hands ◄── /api/act ◄─── page, with the token
//! ```
//!
//! The page is files of this program; it asks this server only, never the
//! internet, and never a node: their credentials stay here. Must never import a
//! verb.

mod ask;
pub mod board;
mod door;
mod explorer;
mod files;
mod hands;
mod node;
mod pay;
mod player;
mod stream;
pub mod tape;
pub mod view;
mod watch;
mod wish;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use self::door::Door;
use self::hands::{Hands, Wishes};
pub use self::player::Player;
use self::watch::Watch;
use crate::exit::Failure;
use crate::faults::Live;
use crate::world::World;

/// Where the page is, unless it is said otherwise or that is taken.
pub const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 7080);
/// Bytes of a wish at most; 250 names take a tenth.
const BODY_BYTES_MAX: usize = 256 << 10;
/// Pages open at once at most.
const PAGES_MAX: usize = 64;
/// Questions that make nodes work, at once at most.
const QUESTIONS_MAX: usize = 8;

/// What all answers share.
struct Shop {
    watch: Arc<Watch>,
    wishes: Wishes,
    pages: Arc<Semaphore>,
    questions: Semaphore,
    door: Arc<Door>,
}

/// A page that is served.
pub struct Server {
    address: SocketAddr,
    shop: Arc<Shop>,
    hands: Hands,
    serving: tokio::task::JoinHandle<()>,
}

/// Why a page is served no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The network is there no more.
    Gone,
    /// It was asked to stop.
    Stopped,
}

impl Server {
    /// Listens, and serves from now on. Without an address it takes the usual
    /// one, or any if that is taken.
    ///
    /// # Errors
    /// There is no such network, or the address cannot be used.
    pub async fn start(
        world: &World,
        name: &str,
        listen: Option<SocketAddr>,
    ) -> Result<Self, Failure> {
        let live = Live::attach(world, name).await?;
        let listener = bind(listen).await?;
        let address = listener
            .local_addr()
            .map_err(|error| Failure::world(format!("cannot tell where the page is: {error}")))?;
        let is_loopback = address.ip().is_loopback();
        let door = Arc::new(Door::new(is_loopback)?);
        let watch = Arc::new(Watch::new(world.clone(), live, !is_loopback));
        let (hands, wishes) = Hands::new(watch.clone());
        let shop = Arc::new(Shop {
            wishes,
            watch,
            pages: Arc::new(Semaphore::new(PAGES_MAX)),
            questions: Semaphore::new(QUESTIONS_MAX),
            door,
        });
        let router = router(&shop);
        let serving = tokio::spawn(async move {
            // It fails only where the listener does, and the page tells.
            let _ended = axum::serve(listener, router).await;
        });
        Ok(Self {
            address,
            shop,
            hands,
            serving,
        })
    }

    /// Where the page is, without the right to act.
    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// The same with the right to act. What follows `#` stays in the browser.
    pub fn url_with_token(&self) -> String {
        format!("{}#token={}", self.url(), self.shop.door.token())
    }

    /// Whether other machines can reach it.
    pub const fn is_open(&self) -> bool {
        !self.address.ip().is_loopback()
    }

    /// Watches the network, and does what the page wants, until the network is
    /// gone or `stop` ends; then faults with a time are taken out.
    pub async fn run(mut self, stop: impl Future<Output = ()>) -> Ended {
        let watching = self.shop.watch.clone().run();
        tokio::select! {
            () = watching => return Ended::Gone,
            () = self.hands.work(stop) => {}
        }
        self.hands.let_go().await;
        Ended::Stopped
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn bind(listen: Option<SocketAddr>) -> Result<TcpListener, Failure> {
    let wanted = listen.unwrap_or(LISTEN);
    let bound = match TcpListener::bind(wanted).await {
        Err(_taken) if listen.is_none() => TcpListener::bind((wanted.ip(), 0)).await,
        bound => bound,
    };
    bound.map_err(|error| {
        Failure::world(format!("cannot listen on {wanted}: {error}"))
            .next("Choose another address with `--listen`.")
    })
}

fn router(shop: &Arc<Shop>) -> Router {
    Router::new()
        .route("/api/stream", get(stream::stream))
        .route("/api/node/{name}", get(node::node))
        .route("/api/accounts", get(pay::accounts))
        .route("/api/find/{what}", get(explorer::find))
        .route("/api/mempool", get(explorer::mempool))
        .route("/api/faults", get(ask::faults))
        .route("/api/act", post(ask::act))
        .route("/api/send", post(pay::send))
        .route("/api/token", post(ask::token))
        .fallback(|request: Request| async move { files::answer(request.uri().path()) })
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(from_fn_with_state(shop.door.clone(), door::enter))
        .with_state(shop.clone())
}
