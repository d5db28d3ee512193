//! What PostgreSQL's columns may hold, of every type that its documentation names, and of types that are made from them.

use super::postgres_made::{documents, made_of_others, ranges};
use super::random::{Column, Random, column, computed};

/// What the columns below need to be made first.
pub const TYPES: &str = r#"
    CREATE EXTENSION hstore; CREATE EXTENSION citext; CREATE EXTENSION ltree; CREATE EXTENSION cube;
    CREATE SCHEMA "Other ""Schema";
    CREATE TYPE "Other ""Schema"."mood's" AS ENUM ('sad', 'it''s "ok"', 'a,b', '');
    CREATE TYPE composite AS (number int, "the text" text, nested text[], shape point, padded char(5), plain bpchar);
    CREATE DOMAIN positive AS numeric(20,5) CHECK (value >= 0);
    CREATE DOMAIN words AS text[];
    CREATE DOMAIN padded AS char(6);
    CREATE DOMAIN unpadded AS bpchar;
    CREATE DOMAIN twice AS unpadded;
    CREATE TYPE floatrange AS RANGE (subtype = float8);
"#;

pub fn of_every_type() -> Vec<Column> {
    let mut columns = numbers();
    columns.extend(letters());
    columns.extend(dates());
    columns.extend(shapes_and_addresses());
    columns.extend(documents());
    columns.extend(ranges());
    columns.extend(made_of_others());
    columns
}

fn numbers() -> Vec<Column> {
    vec![
        column("smallint", ["-32768", "32767"], |random| random.signed(16)),
        column("integer NOT NULL", ["-2147483648", "2147483647"], |random| random.signed(32)),
        column("bigint", ["-9223372036854775808", "9223372036854775807"], |random| random.signed(64)),
        column(
            "numeric",
            ["'NaN'", "'Infinity'", "'-Infinity'", "1e-16383", "1.50", "repeat('9', 2000)::numeric"],
            |random| random.digits(60, 60),
        ),
        column("numeric(1000,500)", ["'NaN'", "0.00", "-1e-500"], |random| random.digits(400, 500)),
        column("numeric(5,-3)", ["12345678", "-1000"], |random| random.signed(24)),
        column("real", FLOATS, |random| format!("'{}'", random.single())),
        column("double precision", DOUBLES, |random| format!("'{}'", random.double())),
        column("money", ["'-92233720368547758.08'", "'92233720368547758.07'", "'0.01'"], |random| {
            format!("'{}'::numeric::money", random.digits(12, 2))
        }),
        column("boolean", ["true", "false"], |random| format!("({})::int::boolean", random.below(2))),
        column("oid", ["4294967295", "0"], |random| random.unsigned(32)),
        column("xid", ["'4294967295'", "'0'"], |random| format!("'{}'", random.unsigned(32))),
        column("xid8", ["'18446744073709551615'"], |random| format!("'{}'", random.unsigned(64))),
        column("tid", ["'(0,0)'", "'(4294967295,65535)'"], |random| {
            format!("'({},{})'", random.unsigned(32), random.unsigned(16))
        }),
        column("pg_lsn", ["'0/0'", "'FFFFFFFF/FFFFFFFF'"], |random| {
            format!("'{:X}/{:X}'", random.below(1 << 32), random.below(1 << 32))
        }),
        column("bit(13)", ["B'0000000000000'", "B'1111111111111'"], |random| {
            format!("({})::bit(13)", random.signed(32))
        }),
        column("bit varying", ["B''", "B'1'", "repeat('10', 500)::varbit"], |random| {
            format!("({})::bit(31)::varbit", random.signed(32))
        }),
        column("bit varying(5)", ["B''", "B'10101'"], |random| format!("({})::bit(4)::varbit", random.signed(32))),
        column("regclass", ["'pg_catalog.pg_class'"], |_| "'pg_catalog.pg_type'".to_owned()),
        column("regtype", ["'composite'", "'int[]'"], |_| "'numeric'".to_owned()),
        computed("bigint GENERATED ALWAYS AS (\"Ç1\"::bigint + 1) STORED"),
        computed("text GENERATED ALWAYS AS ('made' || coalesce(\"c 0\", 7)) STORED"),
    ]
}

const FLOATS: [&str; 9] = [
    "'NaN'",
    "'Infinity'",
    "'-Infinity'",
    "'-0'",
    "'3.4028235e38'",
    "'-3.4028235e38'",
    "'1.17549435e-38'",
    "'1e-45'",
    "'0.1'",
];

const DOUBLES: [&str; 10] = [
    "'NaN'",
    "'Infinity'",
    "'-Infinity'",
    "'-0'",
    "'1.7976931348623157e308'",
    "'-1.7976931348623157e308'",
    "'2.2250738585072014e-308'",
    "'5e-324'",
    "'0.30000000000000004'",
    "'9007199254740993'",
];

fn letters() -> Vec<Column> {
    let text: fn(&mut Random) -> String = |random| quoted(&random.text(12));
    let declarations = [
        "text",
        "varchar",
        "varchar(60)",
        "char(60)",
        "bpchar",
        "name",
        "citext",
        "text COLLATE \"C\"",
        "text DEFAULT 'a default'",
    ];
    let mut columns: Vec<Column> = declarations
        .into_iter()
        .map(|declaration| {
            column(
                declaration,
                ["''", "' '", "'trailing  '", "'it''s \"quoted\" \\ '", "E'\\n\\r\\t\\x01'", "'NULL'", "'日本😀'"],
                text,
            )
        })
        .collect();
    columns.push(column("text COMPRESSION pglz", ["repeat('long \"and\" ''wide'' ', 1000)"], text));
    columns.push(column("\"char\"", ["''", "'a'", "' '", "'\\'", "(-1)::\"char\"", "(-128)::\"char\""], |random| {
        format!("({})::\"char\"", random.signed(8))
    }));
    columns.push(column(
        "bytea",
        ["''", "'\\x00'", "'\\x275c220a00ff'", "decode(repeat('ff00', 3000), 'hex')"],
        |random| format!("'\\x{}'", random.hex(30)),
    ));
    columns.push(column("\"Other \"\"Schema\".\"mood's\"", ["'sad'", "'it''s \"ok\"'", "'a,b'", "''"], |_| {
        "'sad'".to_owned()
    }));
    columns
        .push(column("uuid", ["'00000000-0000-0000-0000-000000000000'"], |random| format!("'{}'", random.hex_of(16))));
    columns.push(column("hstore", ["''", "'a=>NULL, b=>\"NULL\"'", "'\"=>\"=>\"\\\"\\\\\"'"], |random| {
        format!("hstore({}, {})", quoted(&random.text(5)), quoted(&random.text(9)))
    }));
    columns.push(column("ltree", ["''", "'Top.Science.A_1'"], |random| format!("'a{}.b'", random.below(99))));
    columns.push(column("cube", ["'(1,2),(3,4.5)'", "'(0.1)'"], |random| format!("cube({})", random.digits(3, 9))));
    columns
}

pub fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn dates() -> Vec<Column> {
    let moment: fn(&mut Random) -> String = |random| {
        // From 4713 BC to the year 60,000.
        let hours = random.below(567_000_000) as i64 - 58_000_000;
        format!("timestamp '2000-01-01' + interval '{hours} hours {} microseconds'", random.below(3_600_000_000))
    };
    vec![
        column(
            "timestamp",
            [
                "'infinity'",
                "'-infinity'",
                "'4713-01-01 BC'",
                "'294276-12-31 23:59:59.999999'",
                "'0001-12-31 23:59:59.999999 BC'",
            ],
            moment,
        ),
        column("timestamp(0)", ["'infinity'", "'2024-02-29 23:59:59'"], moment),
        column(
            "timestamptz",
            [
                "'infinity'",
                "'-infinity'",
                "'4713-01-01 00:00+00 BC'",
                "'2024-03-31 01:30:00.000001+00'",
                "'1900-01-01 00:00:00+00'",
            ],
            moment,
        ),
        column("timestamptz(3)", ["'2024-10-27 01:30:00.123+00'"], moment),
        column("date", ["'infinity'", "'-infinity'", "'4713-01-01 BC'", "'5874897-12-31'", "'0001-01-01'"], |random| {
            format!("date '2000-01-01' + {}", random.below(2_000_000) as i64 - 1_000_000)
        }),
        column("time", ["'00:00'", "'24:00'", "'23:59:59.999999'"], |random| {
            format!("'{}:{}:{}.{:06}'", random.below(24), random.below(60), random.below(60), random.below(1_000_000))
        }),
        column("timetz", ["'24:00-15:59:59'", "'00:00+15:59'", "'12:00:00.000001+05:30'"], |random| {
            format!(
                "'{}:{}:{}.{:06}-0{}'",
                random.below(24),
                random.below(60),
                random.below(60),
                random.below(1_000_000),
                random.below(9)
            )
        }),
        column(
            "interval",
            [
                "'0'",
                "'-1 year 2 mons -3 days 04:05:06.789'",
                "'178000000 years'",
                "'-178000000 years'",
                "'1 mon -1 day'",
                "'-0.000001 s'",
                "'30 days 24:00'",
                "'2562047788:00:54.775807'",
            ],
            |random| {
                format!(
                    "make_interval(months => {}, days => {}, secs => {})",
                    random.signed(20),
                    random.signed(20),
                    random.digits(8, 6)
                )
            },
        ),
        column("interval year to month", ["'-3 years 2 mons'"], |random| {
            format!("make_interval(months => {})", random.signed(16))
        }),
        column("interval second(2)", ["'-1.25'"], |random| format!("make_interval(secs => {})", random.digits(5, 2))),
    ]
}

fn shapes_and_addresses() -> Vec<Column> {
    vec![
        column("point", ["'(0,-0)'", "'(NaN,Infinity)'", "'(5e-324,1.7976931348623157e308)'"], |random| {
            format!("point({0}, {0})", random.digits(3, 17))
        }),
        column("line", ["'{1,-1,0}'", "'{0,0.1,1e300}'"], |random| format!("'{{1,{},0.1}}'", random.double())),
        column("lseg", ["'[(0,0),(1,1)]'"], |random| format!("'[({},0),(0.1,1)]'", random.double())),
        column("box", ["'(1,1),(0,0)'"], |random| format!("'({},0.1),(0,0)'", random.double())),
        column("path", ["'[(0,0),(1,1)]'", "'((0,0),(1,1),(2,0))'"], |random| {
            format!("'[({},0.1),(0,0)]'", random.double())
        }),
        column("polygon", ["'((0,0),(1,1),(2,0))'"], |random| format!("'((0,0),(1,{}),(2,0))'", random.digits(3, 17))),
        column("circle", ["'<(0,0),1>'", "'<(0.1,-0.1),0>'"], |random| format!("'<({},1),0.3>'", random.digits(3, 17))),
        column(
            "inet",
            ["'0.0.0.0/0'", "'192.168.1.5'", "'192.168.1.5/24'", "'::1'", "'::ffff:1.2.3.4/128'", "'2001:db8::/32'"],
            |random| format!("'10.{}.0.{}/{}'", random.below(256), random.below(256), random.below(33)),
        ),
        column("cidr", ["'0.0.0.0/0'", "'192.168.1.0/24'", "'::/0'", "'2001:db8::1/128'"], |random| {
            format!("'10.{}.0.0/16'", random.below(256))
        }),
        column("macaddr", ["'00:00:00:00:00:00'"], |random| format!("'{}'", random.hex_of(6))),
        column("macaddr8", ["'ff:ff:ff:ff:ff:ff:ff:ff'"], |random| format!("'{}'", random.hex_of(8))),
    ]
}
