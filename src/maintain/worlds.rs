//! Random small worlds, with SQLite and a folder: what a run would remove of each, found in this process, so that very many
//! of them can be judged.
//!
//! `CLEANUP_ASSETS_TEST_WORLDS` says how many. One that is judged wrong is printed with its seed;
//! `CLEANUP_ASSETS_TEST_SEED` judges that one again.
#![cfg(test)]

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};

use super::*;
use crate::plan::{Limits, plan};

#[allow(unused)]
#[path = "../../tests/suite/doubts/layouts/mod.rs"]
mod layouts;

use layouts::{Gone, World};

const WORLDS: u64 = 400;
/// More are not printed.
const MOST_WRONG: usize = 5;

#[test]
fn no_random_world_loses_what_is_wanted() {
    let number = |name: &str| std::env::var(name).ok().map(|value| value.parse::<u64>().expect("a number"));
    let seeds = match number("CLEANUP_ASSETS_TEST_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("CLEANUP_ASSETS_TEST_WORLDS").unwrap_or(WORLDS),
    };
    let counts = Counts::default();
    let wrong = Mutex::new(Vec::new());
    let next = AtomicU64::new(seeds.start);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
                let is_over = || wrong.lock().expect("what is wrong").len() >= MOST_WRONG;
                loop {
                    let seed = next.fetch_add(1, Relaxed);
                    if !seeds.contains(&seed) || is_over() {
                        return;
                    }
                    if let Some(said) = runtime.block_on(judge(seed, &counts)) {
                        wrong.lock().expect("what is wrong").push(said);
                    }
                }
            });
        }
    });
    println!("{counts:?}");
    let wrong = wrong.into_inner().expect("what is wrong");
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    if seeds.end - seeds.start >= WORLDS {
        counts.expect_enough();
    }
}

/// What became of the worlds: where all are refused, or none is provoked, nothing is proven.
#[derive(Debug, Default)]
struct Counts {
    healthy: AtomicUsize,
    provoked: AtomicUsize,
    refused: AtomicUsize,
    /// Provoked worlds that lose an orphan.
    lessened: AtomicUsize,
}

impl Counts {
    fn expect_enough(&self) {
        let [healthy, provoked, refused, lessened] =
            [&self.healthy, &self.provoked, &self.refused, &self.lessened].map(|count| count.load(Relaxed));
        let all = healthy + provoked;
        assert!(healthy > all / 5 && provoked > all / 2 && refused > all / 20 && lessened > all / 10, "{self:?}");
    }
}

/// Judges the world of a seed; gives what is wrong, with the world.
async fn judge(seed: u64, counts: &Counts) -> Option<String> {
    let world = World::random(seed);
    let gone = gone(&world).await;
    let count = |count: &AtomicUsize, is: bool| count.fetch_add(usize::from(is), Relaxed);
    let judged = world.judge(&gone);
    count(&counts.healthy, world.is_healthy());
    count(&counts.provoked, !world.is_healthy());
    count(&counts.refused, gone.refusal.is_some());
    count(&counts.lessened, !world.is_healthy() && judged.orphans > 0);
    (!judged.wrong.is_empty()).then(|| format!("CLEANUP_ASSETS_TEST_SEED={seed}: {:#?}\n{world}", judged.wrong))
}

/// What a run would remove: all that it does up to the plan.
async fn gone(world: &World) -> Gone {
    // What lies in memory need not be waited for.
    let memory = Path::new("/dev/shm");
    let folder = match memory.is_dir() {
        true => tempfile::tempdir_in(memory),
        false => tempfile::tempdir(),
    };
    let folder = folder.expect("a folder");
    let [store, database, ledger, config] =
        ["store", "app.db", "ledger.db", "config.toml"].map(|name| folder.path().join(name));
    std::fs::create_dir(&store).expect("a folder");
    world.lay_out(&store).expect("the files");
    fill(&database, &world.sql()).await;
    let text = format!(
        "[database]\nurl = \"sqlite:{}\"\n[storage]\nkind = \"local\"\nage_by = \"modified\"\nroot = {store:?}\n{}[ledger]\npath = {ledger:?}\n",
        database.display(),
        world.configuration()
    );
    std::fs::write(&config, text).expect("a configuration");
    planned(&config).await.expect("a run")
}

async fn fill(database: &Path, sql: &str) {
    let options = SqliteConnectOptions::new()
        .filename(database)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Off)
        .disable_statement_logging();
    let mut connection = options.connect().await.expect("a database");
    sqlx::raw_sql(AssertSqlSafe(format!("BEGIN; {sql} COMMIT"))).execute(&mut connection).await.expect("its rows");
    connection.close().await.expect("a closed database");
}

async fn planned(config: &Path) -> Result<Gone> {
    let options = Options {
        config: Some(config.to_owned()),
        execute: true,
        only: None,
        prefix: None,
        kinds: Vec::new(),
        format: Format::Json,
        output: None,
        limit: None,
        max_removals: None,
        max_percent: None,
        accept_database: false,
        check: false,
        quiet: false,
        no_progress: true,
    };
    let config = config::load(config)?;
    let scope = Arc::new(scope(&config, None)?);
    let kinds = kinds(&[], &config)?;
    let mut ledger = Ledger::open(&ledger_path(&config), &pair(&config)?).await?;
    let number = ledger.begin("execute", Utc::now()).await?;
    let (interrupt, began) = (Interrupt::default(), Instant::now());
    let run = Run { options: &options, config, scope, kinds, only: None, interrupt, began, number };
    let sides = run.open().await?;
    let inspection = Inspection {
        config: &run.config,
        scope: &run.scope,
        kinds: &run.kinds,
        only: None,
        run: run.number,
        is_narrowed: false,
        accepts_database: false,
    };
    let inspected = inspection.inspect(&sides.database, sides.store.clone(), &mut ledger, Arc::default()).await?;
    let now = Utc::now();
    let census = run.census(&mut ledger, &sides.database, &inspected, now).await?;
    let limits = Limits::new(&run.config.safety, None, None);
    if let Err(refusal) = plan(&census, census.clone(), now, &inspected.totals, &inspected.doubts, limits) {
        return Ok(Gone { refusal: Some(refusal.limit().to_owned()), ..Gone::default() });
    }
    let mut gone = Gone::default();
    let files = ledger.removable_after(&Kind::OrphanedFile, "", usize::MAX >> 1).await?;
    gone.files.extend(files.into_iter().map(|file| file.object.key));
    for row in ledger.planned_after(0, usize::MAX >> 1).await? {
        gone.rows.insert(row.id.parse()?);
        gone.files.extend(row.object.filter(|_| row.rivals > 0).map(|object| object.key));
    }
    Ok(gone)
}
