//! Where a source's keys go as they are read: prefixed, checked for their order, cut into chunks, and sent to whoever
//! merges them.

use std::sync::Arc;

use anyhow::{Context, Result, anyhow, bail, ensure};
use tokio::sync::mpsc::Sender;

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
    /// Values that are not UTF-8, as they would be in Latin-1. They are the keys of no object.
    pub undecoded: Vec<String>,
}

/// Keys in a chunk, at most.
const CHUNK_KEYS: usize = 1024;
/// Bytes in a chunk; one key may go over it.
const CHUNK_BYTES: usize = 64 * 1024;

/// Values that are not UTF-8 in a chunk, at most, and their bytes.
const MOST_UNDECODED: usize = 64;
const LONGEST_UNDECODED: usize = 4096;

impl Chunk {
    /// A key, and what its row is to its object.
    pub fn get(&self, at: usize) -> Option<(&str, Claim)> {
        let end = *self.ends.get(at)?;
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        Some((&self.text[start..end], self.claims[at]))
    }

    /// How many keys it has.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    fn is_full(&self) -> bool {
        self.ends.len() >= CHUNK_KEYS || self.text.len() >= CHUNK_BYTES
    }
}

/// What is sent to the merge.
pub enum Message {
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
    /// `now` is the database's own time, by which clocks have run out. Of the sources that are read beside it, so many are
    /// sorted here.
    pub fn new(source: &Arc<Source>, now: Time, sorters: usize, channel: Sender<Result<Message>>) -> Result<Self> {
        let out = match (source.is_unsorted(), source.must_be_spooled) {
            (true, _) => Out::Sort(Sorter::one_of(sorters)?, channel),
            (false, true) => Out::Spool(Spool::new()?, channel),
            (false, false) => Out::Channel(channel),
        };
        let (chunk, strays) = (Chunk::default(), Strays::default());
        Ok(Chunks { source: source.clone(), now, chunk, last: String::new(), strays, out })
    }

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
        if !self.source.is_unsorted() && !self.follows(value) {
            let why = match &self.source.column {
                Some(_) => "does the column hold anything but text?",
                None => "does its expression, or query, give another text each time?",
            };
            bail!("{} gave its keys out of byte order; {why}", self.source.name);
        }
        let claim = self.claim(marks);
        match &mut self.out {
            Out::Spool(spool, _) => spool.push(value, claim == Claim::Condemned),
            Out::Sort(sorter, _) => {
                let (key, is_expected) = self.source.key_of(value);
                if !is_expected {
                    self.strays.note(value);
                }
                if key.is_empty() { Ok(()) } else { sorter.push(&key, claim == Claim::Condemned) }
            }
            Out::Channel(_) => {
                self.chunk.text.push_str(&self.source.key_prefix);
                self.give(value, claim).await
            }
        }
    }

    /// Whether a key stands behind the last one, which it then is itself.
    fn follows(&mut self, key: &str) -> bool {
        let follows = key >= self.last.as_str();
        self.last.clear();
        self.last.push_str(key);
        follows
    }

    /// Takes the value of a row that is not UTF-8: it is nowhere in the order of keys, and may still be meant for one.
    pub async fn push_undecoded(&mut self, value: &[u8]) -> Result<()> {
        // More is no key, in any spelling.
        let value: String = value.iter().take(LONGEST_UNDECODED).map(|byte| char::from(*byte)).collect();
        self.chunk.undecoded.push(self.source.key_of(&value).0);
        match self.chunk.undecoded.len() < MOST_UNDECODED {
            true => Ok(()),
            false => self.flush().await,
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
    pub async fn complete(mut self) -> Result<()> {
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
                    for (key, is_condemned) in batch.iter() {
                        ensure!(self.follows(key), "the keys of {} were sorted wrongly", self.source.name);
                        self.give(key, claim(is_condemned)).await?;
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
