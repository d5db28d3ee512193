//! Says which index would spare the database a sort of its keys, where there are so many that it takes long.

use serde_json::Value;

use crate::config::Engine;
use crate::database::connection::Connection;
use crate::database::dialect;
use crate::database::source::Source;

/// Rows that are sorted without a word.
const FEW: f64 = 5e5;

/// Asks how the server would read each source, and logs what would help. What cannot be asked is no trouble.
pub async fn log(connection: &mut Connection, engine: Engine, sources: &[Source]) {
    for source in sources {
        let Some(index) = &source.index_sql else { continue };
        match sorted_rows(connection, engine, source).await {
            Ok(Some(rows)) if rows >= FEW => tracing::warn!(
                "{}: the database sorts about {rows:.0} keys for each run; this index would spare it that: {index}",
                source.name
            ),
            Ok(_) => {}
            Err(error) => {
                tracing::debug!("how {} is read is not known: {error:#}", source.name);
                // PostgreSQL answers nothing more in this transaction.
                return;
            }
        }
    }
}

/// How many rows the server expects to sort, if it sorts any.
async fn sorted_rows(connection: &mut Connection, engine: Engine, source: &Source) -> anyhow::Result<Option<f64>> {
    let mut ask = async |sql: String| connection.fetch(&sql, &[]).await;
    Ok(match engine {
        Engine::Postgres => {
            let plan = ask(format!("EXPLAIN (FORMAT JSON) {}", source.stream_sql)).await?;
            let plan = plan.into_iter().flatten().flatten().next().unwrap_or_default();
            most_sorted(&serde_json::from_str(&plan)?)
        }
        Engine::Sqlite => {
            let plan = ask(format!("EXPLAIN QUERY PLAN {}", source.stream_sql)).await?;
            let sorts = plan.into_iter().flatten().flatten().any(|text| text.contains("USE TEMP B-TREE FOR ORDER BY"));
            match (sorts, &source.rows) {
                (true, Some(rows)) => {
                    // The table's last rowid: counting its rows would read it whole.
                    let last =
                        ask(format!("SELECT CAST(max(rowid) AS TEXT) FROM {}", dialect::of(engine).table(&rows.table)))
                            .await?;
                    last.into_iter().flatten().flatten().next().and_then(|last| last.parse().ok())
                }
                _ => None,
            }
        }
        // No index has the order of keys' bytes.
        Engine::MySql => None,
    })
}

/// The rows of the largest sort in a plan of PostgreSQL's.
fn most_sorted(plan: &Value) -> Option<f64> {
    let below: Vec<&Value> = match plan {
        Value::Array(parts) => parts.iter().collect(),
        Value::Object(parts) => parts.values().collect(),
        _ => return None,
    };
    let own = plan["Plan Rows"].as_f64().filter(|_| plan["Node Type"].as_str().is_some_and(|kind| kind == "Sort"));
    below.into_iter().filter_map(most_sorted).chain(own).reduce(f64::max)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_largest_sort_of_a_plan_is_found() {
        let scan = json!({ "Node Type": "Index Only Scan", "Plan Rows": 9e6 });
        assert_eq!(most_sorted(&json!([{ "Plan": scan }])), None);
        let sort = json!({ "Node Type": "Sort", "Plan Rows": 2_000_000, "Plans": [scan] });
        let merge = json!({ "Node Type": "Gather Merge", "Plan Rows": 4_000_000, "Plans": [sort] });
        assert_eq!(most_sorted(&json!([{ "Plan": merge }])), Some(2e6));
    }
}
