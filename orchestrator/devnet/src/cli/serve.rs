//! `devnet serve`: a page in the browser that shows a network and lets a person
//! hurt it.

use std::net::SocketAddr;

use super::NameArgs;
use super::interrupts::Interrupts;
use crate::exit::{Exit, Failure};
use crate::serve::{Ended, Server};
use crate::world::World;

const EXAMPLES: &str = "\
Examples:
  devnet serve                           the page of the network `local`; Ctrl-C ends it
  devnet serve --name big --listen 127.0.0.1:9000
  devnet up --nodes 6 --miners 4 --serve bring a network up, then open its page

The address that is printed holds a token after `#`: whoever opens it may cut, kill, pause and
pay. Without it the page only shows. It needs nothing of the internet, and the nodes' passwords
stay in this program. The network stays up when the page ends.";

/// Show a network in the browser, live, with controls
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    pub(super) network: NameArgs,

    #[command(flatten)]
    pub(super) page: PageArgs,
}

/// Where the page is.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct PageArgs {
    /// Where to serve the page [default: 127.0.0.1:7080, or any free port]
    #[arg(long, value_name = "IP:PORT")]
    pub(super) listen: Option<SocketAddr>,
}

/// Runs the verb.
pub async fn run(world: &World, args: &Args) -> Result<Exit, Failure> {
    serve(
        world,
        &args.network.name,
        &args.page,
        Interrupts::of_process(),
    )
    .await
}

/// Serves the page of a network until Ctrl-C, or until the network is gone.
pub(super) async fn serve(
    world: &World,
    name: &str,
    page: &PageArgs,
    mut interrupts: Interrupts,
) -> Result<Exit, Failure> {
    let server = Server::start(world, name, page.listen).await?;
    world.console.say(&format!(
        "\n  Page of `{name}`: {}\n\n  To look only: {}\n  Ctrl-C ends the page; the network stays.",
        server.url_with_token(),
        server.url()
    ));
    if server.is_open() {
        world.console.remark(
            "Other machines can reach the page, and see all of the network; without the token they can \
             change nothing.",
        );
    }
    if server.run(interrupts.next()).await == Ended::Gone {
        world.console.say(&format!("Network `{name}` is gone."));
    }
    Ok(Exit::Success)
}
