//! One turn of the loop after the other.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use minichain_chain::store::StoreError;
use minichain_protocol::event::Event;
use minichain_protocol::input::{Call, InboundRequest, Input, Now, OutboundRequest};
use minichain_protocol::node::Node;
use minichain_protocol::output::{Answer, DisconnectReason, Outbox, Output, RequestKind};
use tokio::sync::{mpsc, oneshot, watch};

use super::pool_file::PoolFile;
use super::{Message, Parts, RunError, Submission, View};
use crate::clock::Clock;
use crate::miner::Miner;
use crate::net::{self, Command};
use crate::observe::{Flow, Observer};
use crate::shutdown::Shutdown;
use crate::store::RedbStore;

/// The loop's own state.
pub struct Driver {
    node: Node<RedbStore>,
    outbox: Outbox,
    miner: Miner,
    observer: Arc<Observer>,
    clock: Clock,
    shutdown: Shutdown,
    commands: mpsc::Sender<Command>,
    net: watch::Receiver<Arc<net::View>>,
    started: Instant,
    /// When to wake the node, in milliseconds since `started`.
    alarm_ms: Option<u64>,
    next_call: u64,
    calls: BTreeMap<Call, oneshot::Sender<Answer>>,
    /// Kinds of our own requests under way, to count their answers.
    asked: BTreeMap<OutboundRequest, RequestKind>,
    /// The peer's request this turn is about, and its bytes.
    asking: Option<(InboundRequest, usize)>,
    pool_file: PoolFile,
}

/// What a turn begins with.
enum Wake {
    End,
    Alarm,
    CommitDue,
    Message(Message),
}

/// Peers with another genesis file are refused this long. Short, as somebody
/// may be correcting a configuration.
const OTHER_GENESIS: Duration = Duration::from_secs(60);
/// Peers that break the rules are refused this long.
const MISBEHAVIOUR: Duration = Duration::from_secs(600);

/// Runs the loop on the calling thread until its end.
pub fn run(driver: Driver, inbox: mpsc::Receiver<Message>) -> Result<(), RunError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build();
    runtime
        .map_err(RunError::Thread)?
        .block_on(driver.run(inbox))
}

impl Driver {
    pub fn new(
        parts: Parts,
        commands: mpsc::Sender<Command>,
        net: watch::Receiver<Arc<net::View>>,
    ) -> Self {
        let pool_file = PoolFile::new(&parts.config, parts.genesis_hash);
        Self {
            node: parts.node,
            outbox: Outbox::default(),
            miner: parts.miner,
            observer: parts.observer,
            clock: parts.clock,
            shutdown: parts.shutdown,
            commands,
            net,
            started: Instant::now(),
            alarm_ms: None,
            next_call: 0,
            calls: BTreeMap::new(),
            asked: BTreeMap::new(),
            asking: None,
            pool_file,
        }
    }

    async fn run(mut self, mut inbox: mpsc::Receiver<Message>) -> Result<(), RunError> {
        let now = self.now();
        self.turn(now, Input::Started).await?;
        self.restore_pool(now).await?;
        let shutdown = self.shutdown.clone();
        let mut end = std::pin::pin!(shutdown.requested());
        loop {
            // Step 1: wait.
            let wake = tokio::select! {
                biased;
                () = &mut end => Wake::End,
                () = self.until(self.alarm_ms) => Wake::Alarm,
                () = self.until(self.node.state().store().next_commit_due_ms()) => Wake::CommitDue,
                message = inbox.recv() => message.map_or(Wake::End, Wake::Message),
            };
            // Step 2: stamp the time.
            let now = self.now();
            let woke = Instant::now();
            // Steps 3 and 4: handle and drain.
            match wake {
                Wake::End => break,
                Wake::CommitDue => self.commit(|store| store.commit_if_due(now.monotonic_ms))?,
                Wake::Alarm => {
                    self.alarm_ms = None;
                    self.turn(now, Input::Woke).await?;
                }
                Wake::Message(message) => self.on_message(now, message).await?,
            }
            self.observer.busy(woke.elapsed());
        }
        // Step 5: the inbox first, so that a miner with a block in its hands
        // is not left waiting.
        drop(inbox);
        self.node.store_mut().commit()?;
        self.pool_file.save(&self.node.saved_pool());
        Ok(())
    }

    /// What waited when the program last ended waits again.
    async fn restore_pool(&mut self, now: Now) -> Result<(), RunError> {
        let entries = self.pool_file.load();
        let saved = entries.len();
        if saved > 0 {
            self.turn(now, Input::MempoolRestored { entries }).await?;
            let kept = self.node.mempool().len();
            tracing::info!(kept, saved, "saved transactions wait again");
        }
        Ok(())
    }

    async fn on_message(&mut self, now: Now, message: Message) -> Result<(), RunError> {
        match message {
            Message::Query(look) => {
                let net = Arc::clone(&self.net.borrow());
                look(&View {
                    node: &self.node,
                    net: &net,
                });
                Ok(())
            }
            // The delivery keeps its share of the byte budget until the end of
            // the turn.
            Message::Net(delivery) => {
                let (input, _credit) = delivery.into_parts();
                self.count_input(&input);
                self.turn(now, input).await
            }
            Message::Mined(block) => self.turn(now, Input::BlockMined { block }).await,
            Message::Submit(submission, reply) => {
                let call = Call(self.next_call);
                self.next_call += 1;
                self.calls.insert(call, reply);
                let input = match submission {
                    Submission::Transaction(transaction) => {
                        Input::TransactionSubmitted { call, transaction }
                    }
                    Submission::Block(block) => Input::BlockSubmitted { call, block },
                    Submission::Steering(hash, order) => Input::ChainSteered { call, hash, order },
                };
                self.turn(now, input).await
            }
        }
    }

    /// Handles one input and carries out all that follows from it.
    async fn turn(&mut self, now: Now, input: Input) -> Result<(), RunError> {
        let before = Instant::now();
        self.node.handle(now, input, &mut self.outbox)?;
        let took = before.elapsed();
        let outputs: Vec<Output> = self.outbox.drain().collect();
        for output in outputs {
            self.carry_out(now, took, output).await?;
        }
        self.asking = None;
        Ok(())
    }

    async fn carry_out(
        &mut self,
        now: Now,
        took: Duration,
        output: Output,
    ) -> Result<(), RunError> {
        match output {
            Output::Persist { urgent: true } => self.commit(RedbStore::commit)?,
            Output::Persist { urgent: false } => {
                self.commit(|store| store.commit_lazily(now.monotonic_ms))?;
            }
            Output::Mine { template } => self.miner.mine(template),
            Output::StopMining => self.miner.stop_mining(),
            Output::WakeAt { monotonic_ms } => self.alarm_ms = Some(monotonic_ms),
            Output::Event(event) => {
                if let Event::TipChanged { connected, .. } = &event {
                    let blocks = u32::try_from(connected.len()).unwrap_or(u32::MAX).max(1);
                    self.observer.block_handled(took / blocks);
                }
                self.observer.event(event, now);
            }
            Output::Answer { call, answer } => {
                if let Some(reply) = self.calls.remove(&call) {
                    // Whoever asked may have gone meanwhile.
                    let _unheard = reply.send(answer);
                }
            }
            output => {
                if let Some(command) = self.command(output) {
                    self.commands
                        .send(command)
                        .await
                        .map_err(|_| RunError::NetEnded)?;
                }
            }
        }
        Ok(())
    }

    /// Lets the store commit, if it is time, and tells how long it took.
    fn commit(
        &mut self,
        commit: impl FnOnce(&mut RedbStore) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let store = self.node.store_mut();
        let (commits, before) = (store.commits(), Instant::now());
        commit(store)?;
        if store.commits() > commits {
            self.observer.committed(before.elapsed());
        }
        Ok(())
    }

    /// Counts an order to the network side and puts it into its words.
    fn command(&mut self, output: Output) -> Option<Command> {
        let command = match output {
            Output::Publish { topic, bytes } => {
                self.observer.gossip(topic, Flow::Sent, bytes.len());
                Command::Publish {
                    topic,
                    bytes,
                    sent_at_ms: self.clock.now().0,
                }
            }
            Output::GossipVerdict { id, topic, verdict } => {
                self.observer.verdict(topic, verdict);
                Command::Verdict { id, verdict }
            }
            Output::Request {
                id,
                peer,
                kind,
                bytes,
                timeout_ms,
            } => {
                self.observer.request(kind, Flow::Sent, bytes.len());
                self.asked.insert(id, kind);
                Command::Request {
                    id,
                    peer,
                    bytes,
                    timeout: Duration::from_millis(timeout_ms),
                }
            }
            Output::Respond { id, kind, bytes } => {
                let asking = self.asking.filter(|(asking, _)| *asking == id);
                let request_len = asking.map_or(0, |(_, len)| len);
                self.observer.request(kind, Flow::Received, request_len);
                self.observer.response(kind, Flow::Sent, bytes.len());
                Command::Respond { id, bytes }
            }
            Output::Refuse { id } => Command::Refuse { id },
            Output::Disconnect { peer, reason } => {
                self.observer.disconnected(&reason);
                Command::Disconnect {
                    peer,
                    keep_away: keep_away(&reason),
                }
            }
            _ => return None,
        };
        Some(command)
    }

    fn count_input(&mut self, input: &Input) {
        match input {
            Input::PeerConnected { .. } | Input::PeerDisconnected { .. } => {
                let (inbound, outbound) = self.net.borrow().counts();
                self.observer.peers(inbound, outbound);
            }
            Input::GossipReceived { topic, bytes, .. } => {
                self.observer.gossip(*topic, Flow::Received, bytes.len());
            }
            Input::RequestReceived { id, bytes, .. } => self.asking = Some((*id, bytes.len())),
            Input::ResponseReceived { id, bytes, .. } => {
                if let Some(kind) = self.asked.remove(id) {
                    self.observer.response(kind, Flow::Received, bytes.len());
                }
            }
            Input::RequestFailed { id, .. } => {
                self.asked.remove(id);
            }
            _ => {}
        }
    }

    fn now(&self) -> Now {
        let monotonic_ms = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        Now {
            monotonic_ms,
            unix: self.clock.now(),
        }
    }

    /// Waits for a monotonic time; for ever without one.
    async fn until(&self, monotonic_ms: Option<u64>) {
        let at = monotonic_ms.and_then(|ms| self.started.checked_add(Duration::from_millis(ms)));
        match at {
            Some(at) => tokio::time::sleep_until(at.into()).await,
            None => std::future::pending().await,
        }
    }
}

fn keep_away(reason: &DisconnectReason) -> Option<Duration> {
    match reason {
        DisconnectReason::OtherGenesis => Some(OTHER_GENESIS),
        reason => reason.is_misbehaviour().then_some(MISBEHAVIOUR),
    }
}
