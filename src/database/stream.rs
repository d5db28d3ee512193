//! The keys of every source, streamed once each in byte order and merged into one sequence.
//!
//! Each source has a connection, and a channel between it and the merge: a busy reader holds the server back, and memory
//! stays small. Several sources have a task each, and read a few chunks ahead; one alone is read while somebody waits for
//! its keys. A stream that ends without saying that it is complete has failed (I1).

use std::sync::Arc;

use anyhow::{Context, Result, bail};
use futures::FutureExt;
use futures::future::{BoxFuture, Fuse, FusedFuture};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinSet;

use crate::database::chunks::{Chunk, Chunks, Message, Strays};
use crate::database::connection::Connection;
use crate::database::lines;
use crate::database::source::Source;
use crate::domain::{Claim, Time};

/// Chunks on their way from one of several sources to the merge.
const CHUNKS_AHEAD: usize = 4;

/// Values that are not UTF-8 and are kept until they are taken, about.
const MANY_UNDECODED: usize = 256;

/// The merged keys of all sources; dropping it ends their streams.
pub struct MergedKeys {
    heads: Vec<Head>,
    /// Which head gave the last key, and is to move on.
    taken: Option<usize>,
    /// Values that are not UTF-8, each with its source; where somebody takes them.
    undecoded: Vec<(usize, String)>,
    keeps_undecoded: bool,
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
    pub fn start(sources: &[Arc<Source>]) -> Self {
        let sorters = sources.iter().filter(|source| source.is_unsorted()).count();
        let mut tasks = JoinSet::new();
        let mut alone = Fuse::terminated();
        let heads = sources.iter().map(|source| {
            let is_alone = sources.len() == 1;
            let (sender, receiver) = channel(if is_alone { 1 } else { CHUNKS_AHEAD });
            let stream = stream(source.clone(), sorters, sender);
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
        MergedKeys {
            heads: heads.collect(),
            taken: None,
            undecoded: Vec::new(),
            keeps_undecoded: false,
            alone,
            _tasks: tasks,
        }
    }

    /// The sources that gave values other than URLs below their base; known at the end.
    pub fn strays(&self) -> Vec<(String, Strays)> {
        let strays = self.heads.iter().filter(|head| head.strays.count > 0);
        strays.map(|head| (head.source.name.clone(), head.strays.clone())).collect()
    }

    /// Keeps values that are not UTF-8 until they are taken.
    pub fn keeping_undecoded(mut self) -> Self {
        self.keeps_undecoded = true;
        self
    }

    /// Whether there are values that are not UTF-8 and were not taken yet.
    pub fn has_undecoded(&self) -> bool {
        !self.undecoded.is_empty()
    }

    /// Values that are not UTF-8 and were met so far, as the keys that they would be in Latin-1; each with its source.
    pub fn take_undecoded(&mut self) -> Vec<(usize, String)> {
        std::mem::take(&mut self.undecoded)
    }

    /// What stands in front of the values of a source, by its place.
    pub fn key_prefix(&self, source: usize) -> &str {
        self.heads.get(source).map_or("", |head| &head.source.key_prefix)
    }

    /// The next key in byte order; `None` at the end of every source. A key that several rows name comes as often.
    pub async fn next(&mut self) -> Result<Option<Named<'_>>> {
        while !self.fill().await? {}
        let keys = self.heads.iter().enumerate().filter_map(|(at, head)| Some((head.chunk.get(head.at)?, at)));
        let Some(((key, claim), at)) = keys.min_by_key(|((key, _), at)| (*key, *at)) else { return Ok(None) };
        self.taken = Some(at);
        Ok(Some(Named { key, claim, source: at }))
    }

    /// Reads on until the next key of every source is known. `false`: so many values that are not UTF-8 were met that
    /// whoever takes them had better do it before more are read; a column may hold nothing else.
    pub async fn fill(&mut self) -> Result<bool> {
        if let Some(taken) = self.taken.take() {
            self.heads[taken].at += 1;
        }
        for (at, head) in self.heads.iter_mut().enumerate() {
            while head.is_waiting() {
                tokio::select! {
                    biased;
                    received = head.receive() => {
                        received?;
                        let undecoded = head.chunk.undecoded.drain(..).map(|value| (at, value));
                        self.undecoded.extend(undecoded.filter(|_| self.keeps_undecoded));
                        if self.undecoded.len() >= MANY_UNDECODED {
                            return Ok(false);
                        }
                    }
                    () = &mut self.alone, if !self.alone.is_terminated() => {}
                }
            }
        }
        Ok(true)
    }
}

impl Head {
    /// Whether its next key must be received first.
    fn is_waiting(&self) -> bool {
        !self.complete && self.at >= self.chunk.len()
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

/// Sends the keys of a source. Of those that are read at once, so many are sorted here.
async fn stream(source: Arc<Source>, sorters: usize, sender: Sender<Result<Message>>) {
    let streamed = stream_whole(&source, sorters, sender.clone()).await;
    if let Err(error) = streamed {
        // Nobody left to tell means that the comparison has already failed elsewhere.
        let _ = sender.send(Err(error.context(format!("reading the keys of {}", source.name)))).await;
    }
}

async fn stream_whole(source: &Arc<Source>, sorters: usize, sender: Sender<Result<Message>>) -> Result<()> {
    if let Some(path) = &source.file {
        let mut chunks = Chunks::new(source, Time::UNIX_EPOCH, sorters, sender)?;
        lines::send(path, &mut chunks).await?;
        return chunks.complete().await;
    }
    let mut connection = Connection::open(&source.login).await.context("connecting")?;
    connection.begin().await?;
    let has_rules = source.rows.as_ref().is_some_and(|rows| !rows.rules.is_empty());
    let now = if has_rules { connection.now().await? } else { Time::UNIX_EPOCH };
    let mut chunks = Chunks::new(source, now, sorters, sender)?;
    connection.send_keys(&source.stream.sql, &mut chunks).await?;
    connection.end().await?;
    drop(connection);
    chunks.complete().await
}
