//! Which node a command speaks to: by its data folder, its configuration or
//! its address.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use minichain_api::config::NodeConfig;

use crate::cli::RunArgs;
use crate::client::{self, Client};
use crate::exit::Failure;
use crate::listen::reachable;
use crate::{config, rpc};

/// How to reach a node.
#[derive(Clone, Debug, Default, Args)]
pub struct ReachArgs {
    /// Data folder of the node: it tells the address and the password.
    #[arg(long, value_name = "DIR", help_heading = "Node")]
    pub data_dir: Option<PathBuf>,
    /// Configuration the node was started with.
    #[arg(long, value_name = "FILE", help_heading = "Node")]
    pub config: Option<PathBuf>,
    /// The node's --port; its data folder and address follow from it.
    #[arg(long, value_name = "PORT", help_heading = "Node")]
    pub port: Option<u16>,
    /// Address of its JSON-RPC, for example http://127.0.0.1:18999/.
    #[arg(long, value_name = "URL", help_heading = "Node")]
    pub url: Option<String>,
    /// User of its JSON-RPC, instead of the cookie file.
    #[arg(long, value_name = "USER", help_heading = "Node")]
    pub user: Option<String>,
    /// The user's password; others here can read a command line, so prefer the
    /// variable.
    #[arg(
        long,
        value_name = "PASSWORD",
        env = "MINICHAIN_RPC_PASSWORD",
        hide_env_values = true,
        help_heading = "Node"
    )]
    pub password: Option<String>,
    /// Cookie file, if it is not the data folder's.
    #[arg(long, value_name = "FILE", help_heading = "Node")]
    pub cookie: Option<PathBuf>,
    /// Seconds a call may take.
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 900,
        value_parser = clap::value_parser!(u64).range(1..=86_400),
        help_heading = "Node"
    )]
    pub timeout: u64,
}

impl ReachArgs {
    /// A client for that node. Nothing is sent yet.
    pub fn client(&self) -> Result<Client, Failure> {
        let config = self.node_config()?;
        let credential = self.credential(&config)?;
        let url = self.address(&config);
        if !url.starts_with("http://") {
            return Err(Failure::bad_input(format!(
                "the address {url:?} must begin with http://"
            )));
        }
        let timeout = Duration::from_secs(self.timeout);
        Ok(Client::new(&url, &credential, timeout))
    }

    fn node_config(&self) -> Result<NodeConfig, Failure> {
        let args = RunArgs {
            config: self.config.clone(),
            data_dir: self.data_dir.clone(),
            port: self.port,
            ..RunArgs::default()
        };
        let environment = std::env::var_os(minichain_api::config::CONFIG_ENV);
        config::resolve(&args, environment)
    }

    /// What was said; else what the running node wrote into its folder; else
    /// what its configuration says.
    fn address(&self, config: &NodeConfig) -> String {
        let written = || client::read_line(&config.data_dir.join(rpc::URL_FILE)).ok();
        let listening = SocketAddr::new(config.rpc.listen, config.rpc.port);
        let configured = || format!("http://{}/", reachable(listening));
        let said = self.url.clone();
        said.or_else(written).unwrap_or_else(configured)
    }

    fn credential(&self, config: &NodeConfig) -> Result<String, Failure> {
        let pair = |user: &str, password: &str| format!("{user}:{password}");
        if let Some(user) = &self.user {
            let Some(password) = &self.password else {
                return Err(Failure::bad_input(
                    "--user needs --password, or the variable MINICHAIN_RPC_PASSWORD",
                ));
            };
            return Ok(pair(user, password));
        }
        if let (None, Some(user), Some(password)) =
            (&self.cookie, &config.rpc.user, &config.rpc.password)
        {
            return Ok(pair(user, password));
        }
        let in_folder = || config.data_dir.join(rpc::COOKIE_FILE);
        let file = self.cookie.clone().unwrap_or_else(in_folder);
        client::read_line(&file).map_err(|why| {
            Failure::world(format!(
                "cannot read the cookie file {}: {why}; the node writes it while it runs: start \
                 it, name its folder with --data-dir, or give --user and --password",
                file.display()
            ))
        })
    }
}
