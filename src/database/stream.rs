//! The keys of every source, streamed once each in byte order and merged into one sequence.
//!
//! Each source has a connection, and a channel between it and the merge: a busy reader holds the server back, and memory
//! stays small. Several sources have a task each, and read a few chunks ahead; one alone is read while somebody waits for
//! its keys. A stream that ends without saying that it is complete has failed (I1).

use std::sync::Arc;

use anyhow::{Context, Result, anyhow, bail};
use futures::FutureExt;
use futures::future::{BoxFuture, Fuse, FusedFuture};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinSet;

use crate::config;
use crate::database::connection::Connection;
use crate::database::sorter::Sorter;
use crate::database::source::Source;
use crate::database::spool::Spool;
use crate::domain::key::Printable;
use crate::domain::{Claim, Mark, Time};
use crate::exit_code::Misconfigured;

/// Keys of one source that follow each other, in one buffer.
#[derive(Default)]
pub struct Chunk {
    text: String,
    ends: Vec<usize>,
    claims: Vec<Claim>,
}

/// Keys in a chunk, at most.
const CHUNK_KEYS: usize = 1024;
/// Bytes in a chunk; one key may go over it.
const CHUNK_BYTES: usize = 64 * 1024;
/// Chunks on their way from one of several sources to the merge.
const CHUNKS_AHEAD: usize = 4;

impl Chunk {
    fn get(&self, at: usize) -> Option<(&str, Claim)> {
        let end = *self.ends.get(at)?;
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        Some((&self.text[start..end], self.claims[at]))
    }

    fn is_full(&self) -> bool {
        self.ends.len() >= CHUNK_KEYS || self.text.len() >= CHUNK_BYTES
    }
}

enum Message {
    Keys(Chunk),
    /// Every row was read.
    Complete(Strays),
}

/// Values that are no URLs below their base.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Strays {
    pub count: u64,
    /// The first of them.
    pub sample: String,
}

impl Strays {
    fn note(&mut self, value: &str) {
        if self.count == 0 {
            self.sample = value.chars().take(100).collect();
        }
        self.count += 1;
    }
}

/// Where a source's keys go: prefixed, checked for their order, and cut into chunks.
pub struct Chunks {
    source: Arc<Source>,
    /// The database's own time when the stream began; by it clocks have run out, and will have when it ends.
    now: Time,
    chunk: Chunk,
    last: String,
    strays: Strays,
    out: Out,
}

enum Out {
    Channel(Sender<Result<Message>>),
    /// The keys are read to their end before any of them is given on.
    Spool(Spool, Sender<Result<Message>>),
    /// The same, and they come in any order.
    Sort(Sorter, Sender<Result<Message>>),
}

impl Chunks {
    /// How many columns each row has: its value, and what each rule says.
    pub fn columns(&self) -> usize {
        1 + self.source.rows.as_ref().map_or(0, |rows| rows.rules.len())
    }

    /// Takes the next row's value, and what each rule says. A value that is empty names nothing.
    pub async fn push(&mut self, value: &str, marks: &[Option<&str>]) -> Result<()> {
        if value.is_empty() {
            return Ok(());
        }
        if self.source.may_be_json && is_packed_json(value) {
            let name = &self.source.name;
            bail!(Misconfigured(format!(
                "{name} gives JSON and not text, such as {}: unpack it, with `->>`, JSON_UNQUOTE, json_each or JSON_TABLE",
                Printable(&value.chars().take(60).collect::<String>())
            )));
        }
        if self.source.url_base.is_none() && value < self.last.as_str() {
            bail!("{} gave its keys out of byte order; does the column hold anything but text?", self.source.name);
        }
        self.last.clear();
        self.last.push_str(value);
        let claim = self.claim(marks);
        match &mut self.out {
            Out::Spool(spool, _) => spool.push(value, claim == Claim::Condemned),
            Out::Sort(sorter, _) => {
                let (key, is_expected) = self.source.key_of(value);
                if !is_expected {
                    self.strays.note(value);
                }
                if key.is_empty() { Ok(()) } else { sorter.push(&key, claim == Claim::Condemned).await }
            }
            Out::Channel(_) => {
                self.chunk.text.push_str(&self.source.key_prefix);
                self.give(value, claim).await
            }
        }
    }

    /// Whether a rule may condemn the row; a date that cannot be read is told of when the row is looked at again.
    fn claim(&self, marks: &[Option<&str>]) -> Claim {
        let Some(rows) = &self.source.rows else { return Claim::Reference };
        let condemned = marks.iter().enumerate().any(|(rule, mark)| match rows.mark(rule, *mark) {
            Mark::Unreadable(_) => true,
            mark => mark.condemns(rows.clocks[rule], self.now),
        });
        if condemned { Claim::Condemned } else { Claim::Record }
    }

    /// Ends a key with `rest`.
    async fn give(&mut self, rest: &str, claim: Claim) -> Result<()> {
        self.chunk.text.push_str(rest);
        self.chunk.ends.push(self.chunk.text.len());
        self.chunk.claims.push(claim);
        if self.chunk.is_full() {
            self.flush().await?;
        }
        Ok(())
    }

    async fn flush(&mut self) -> Result<()> {
        let chunk = std::mem::take(&mut self.chunk);
        self.send(Message::Keys(chunk)).await
    }

    async fn send(&self, message: Message) -> Result<()> {
        let (Out::Channel(channel) | Out::Spool(_, channel) | Out::Sort(_, channel)) = &self.out;
        channel.send(Ok(message)).await.map_err(|_| anyhow!("nobody reads the keys any more"))
    }

    /// The source was read to its end.
    async fn complete(mut self) -> Result<()> {
        let record = self.claim(&[]);
        let claim = |is_condemned| if is_condemned { Claim::Condemned } else { record };
        self.out = match self.out {
            Out::Channel(channel) => Out::Channel(channel),
            Out::Spool(spool, channel) => {
                let mut values = spool.into_values()?;
                self.out = Out::Channel(channel);
                while let Some((value, is_condemned)) = values.next_value()? {
                    self.chunk.text.push_str(&self.source.key_prefix);
                    self.give(&value, claim(is_condemned)).await?;
                }
                self.out
            }
            Out::Sort(sorter, channel) => {
                self.out = Out::Channel(channel);
                let mut sorted = sorter.sorted();
                loop {
                    let batch = sorted.recv().await.context("the sorted keys broke off")??;
                    if batch.is_empty() {
                        break;
                    }
                    for (key, is_condemned) in batch {
                        self.give(&key, claim(is_condemned)).await?;
                    }
                }
                self.out
            }
        };
        self.flush().await?;
        let strays = std::mem::take(&mut self.strays);
        self.send(Message::Complete(strays)).await
    }
}

/// Whether a value is a JSON string, list or object as a whole: as a key it would protect nothing.
fn is_packed_json(value: &str) -> bool {
    let packed = [('"', '"'), ('[', ']'), ('{', '}')];
    packed.iter().any(|(open, close)| value.len() > 1 && value.starts_with(*open) && value.ends_with(*close))
        && serde_json::from_str::<serde::de::IgnoredAny>(value).is_ok()
}

/// The merged keys of all sources; dropping it ends their streams.
pub struct MergedKeys {
    heads: Vec<Head>,
    /// Which head gave the last key, and is to move on.
    taken: Option<usize>,
    /// The stream of the only source, run by whoever reads its keys: they stay in the cache of one core.
    alone: Fuse<BoxFuture<'static, ()>>,
    _tasks: JoinSet<()>,
}

/// A row's key, and what the row is to its object.
pub struct Named<'a> {
    pub key: &'a str,
    pub claim: Claim,
    /// Which source it is of, in their order.
    pub source: usize,
}

struct Head {
    source: Arc<Source>,
    receiver: Receiver<Result<Message>>,
    chunk: Chunk,
    at: usize,
    complete: bool,
    strays: Strays,
}

impl MergedKeys {
    /// The stream of each source, each on a connection of its own. That of the only source begins when its first key is
    /// asked for.
    pub fn start(config: &Arc<config::Database>, sources: &[Arc<Source>]) -> Self {
        let mut tasks = JoinSet::new();
        let mut alone = Fuse::terminated();
        let heads = sources.iter().map(|source| {
            let is_alone = sources.len() == 1;
            let (sender, receiver) = channel(if is_alone { 1 } else { CHUNKS_AHEAD });
            let stream = stream(config.clone(), source.clone(), sender);
            match is_alone {
                true => alone = stream.boxed().fuse(),
                false => drop(tasks.spawn(stream)),
            }
            Head {
                source: source.clone(),
                receiver,
                chunk: Chunk::default(),
                at: 0,
                complete: false,
                strays: Strays::default(),
            }
        });
        MergedKeys { heads: heads.collect(), taken: None, alone, _tasks: tasks }
    }

    /// The sources that gave values other than URLs below their base; known at the end.
    pub fn strays(&self) -> Vec<(String, Strays)> {
        let strays = self.heads.iter().filter(|head| head.strays.count > 0);
        strays.map(|head| (head.source.name.clone(), head.strays.clone())).collect()
    }

    /// The next key in byte order; `None` at the end of every source. A key that several rows name comes as often.
    pub async fn next(&mut self) -> Result<Option<Named<'_>>> {
        if let Some(taken) = self.taken.take() {
            self.heads[taken].at += 1;
        }
        for head in &mut self.heads {
            while head.is_waiting() {
                tokio::select! {
                    biased;
                    received = head.receive() => received?,
                    () = &mut self.alone, if !self.alone.is_terminated() => {}
                }
            }
        }
        let keys = self.heads.iter().enumerate().filter_map(|(at, head)| Some((head.chunk.get(head.at)?, at)));
        let Some(((key, claim), at)) = keys.min_by_key(|((key, _), at)| (*key, *at)) else { return Ok(None) };
        self.taken = Some(at);
        Ok(Some(Named { key, claim, source: at }))
    }
}

impl Head {
    /// Whether its next key must be received first.
    fn is_waiting(&self) -> bool {
        !self.complete && self.at >= self.chunk.ends.len()
    }

    async fn receive(&mut self) -> Result<()> {
        match self.receiver.recv().await {
            Some(Ok(Message::Keys(chunk))) => (self.chunk, self.at) = (chunk, 0),
            Some(Ok(Message::Complete(strays))) => (self.complete, self.strays) = (true, strays),
            Some(Err(error)) => return Err(error),
            None => bail!("the stream of {} broke off", self.source.name),
        }
        Ok(())
    }
}

async fn stream(config: Arc<config::Database>, source: Arc<Source>, sender: Sender<Result<Message>>) {
    let streamed = stream_whole(&config, &source, sender.clone()).await;
    if let Err(error) = streamed {
        // Nobody left to tell means that the comparison has already failed elsewhere.
        let _ = sender.send(Err(error.context(format!("reading the keys of {}", source.name)))).await;
    }
}

async fn stream_whole(config: &config::Database, source: &Arc<Source>, sender: Sender<Result<Message>>) -> Result<()> {
    let mut connection = Connection::open(config).await.context("connecting")?;
    let out = match (source.url_base.is_some(), source.must_be_spooled) {
        (true, _) => Out::Sort(Sorter::new().await?, sender),
        (false, true) => Out::Spool(Spool::new()?, sender),
        (false, false) => Out::Channel(sender),
    };
    connection.begin().await?;
    let has_rules = source.rows.as_ref().is_some_and(|rows| !rows.rules.is_empty());
    let now = if has_rules { connection.now(config.engine).await? } else { Time::UNIX_EPOCH };
    let mut chunks = Chunks {
        source: source.clone(),
        now,
        chunk: Chunk::default(),
        last: String::new(),
        strays: Strays::default(),
        out,
    };
    connection.send_keys(&source.stream_sql, &mut chunks).await?;
    connection.end().await?;
    drop(connection);
    chunks.complete().await
}
