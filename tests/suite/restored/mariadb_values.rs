//! What MariaDB's columns may hold, of every type that its documentation names.

use super::random::{Column, Random, column, computed};

pub fn of_every_type() -> Vec<Column> {
    let mut columns = numbers();
    columns.extend(dates());
    columns.extend(letters());
    columns.extend(bytes());
    columns.extend(shapes());
    columns
}

fn numbers() -> Vec<Column> {
    vec![
        column("TINYINT", ["-128", "127", "0"], |random| random.signed(8)),
        column("TINYINT UNSIGNED", ["0", "255"], |random| random.unsigned(8)),
        column("SMALLINT", ["-32768", "32767"], |random| random.signed(16)),
        column("SMALLINT UNSIGNED", ["0", "65535"], |random| random.unsigned(16)),
        column("MEDIUMINT", ["-8388608", "8388607"], |random| random.signed(24)),
        column("MEDIUMINT UNSIGNED", ["0", "16777215"], |random| random.unsigned(24)),
        column("INT", ["-2147483648", "2147483647"], |random| random.signed(32)),
        column("INT(10) UNSIGNED ZEROFILL", ["0", "4294967295"], |random| random.unsigned(32)),
        column("BIGINT", ["-9223372036854775808", "9223372036854775807"], |random| random.signed(64)),
        column("BIGINT UNSIGNED", ["0", "18446744073709551615"], |random| random.unsigned(64)),
        column("BOOLEAN NOT NULL", ["TRUE", "FALSE"], |random| random.below(2).to_string()),
        column("DECIMAL(65,30)", [MOST_DIGITS, LEAST_DIGITS, "0"], |random| random.digits(35, 30)),
        column("DECIMAL(10,0) UNSIGNED", ["0", "9999999999"], |random| random.unsigned(33)),
        column(
            "FLOAT",
            [
                "3.4028234663852886e38",
                "-3.4028234663852886e38",
                "1.17549435e-38",
                "1e-45",
                "0",
                "-0e0",
                "16777217",
                "0.1",
            ],
            Random::single,
        ),
        column("FLOAT UNSIGNED", ["3.4028234663852886e38", "0.1"], |random| random.single().replacen('-', "", 1)),
        column("FLOAT(7,3)", ["9999.999", "-9999.999", "0.001"], |random| random.digits(4, 3)),
        column(
            "DOUBLE",
            [
                "1.7976931348623157e308",
                "-1.7976931348623157e308",
                "2.2250738585072014e-308",
                "5e-324",
                "0",
                "-0e0",
                "9007199254740993",
                "0.30000000000000004",
                "1e15",
                "123456789012345678",
            ],
            Random::double,
        ),
        column("DOUBLE(20,5)", ["999999999999999.99999", "-0.00001"], |random| random.digits(9, 5)),
        column("BIT(1)", ["b'0'", "b'1'"], |random| random.below(2).to_string()),
        column("BIT(64)", ["0", "18446744073709551615", "9223372036854775808"], |random| random.unsigned(64)),
        computed("INT GENERATED ALWAYS AS (`c 0` + 1) VIRTUAL"),
        computed("INT GENERATED ALWAYS AS (`c 0` + 2) STORED"),
        column("INT INVISIBLE DEFAULT 7", ["0", "-1"], |random| random.signed(32)),
    ]
}

const MOST_DIGITS: &str = "99999999999999999999999999999999999.999999999999999999999999999999";
const LEAST_DIGITS: &str = "-0.000000000000000000000000000001";

fn dates() -> Vec<Column> {
    vec![
        column("DATE", ["'0000-00-00'", "'1000-01-01'", "'9999-12-31'", "'2024-00-00'", "'2023-02-31'"], date),
        column("TIME", ["'-838:59:59'", "'838:59:59'", "'00:00:00'"], |random| {
            format!("'{}:{:02}:59'", random.below(838), random.below(60))
        }),
        column("TIME(6)", ["'-838:59:59.999999'", "'00:00:00.000001'", "'-00:00:00.000001'"], |random| {
            format!("'-{}:{:02}:59.{:06}'", random.below(838), random.below(60), random.below(1_000_000))
        }),
        column("DATETIME", ["'0000-00-00 00:00:00'", "'9999-12-31 23:59:59'"], date),
        column(
            "DATETIME(6)",
            ["'0000-00-00 00:00:00.000000'", "'9999-12-31 23:59:59.999999'", "'2024-02-29 12:00:00.000001'"],
            moment,
        ),
        column("TIMESTAMP NULL", ["'0000-00-00 00:00:00'", "'1970-01-01 00:00:01'", "'2038-01-19 03:14:07'"], moment),
        column(
            "TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6)",
            ["'0000-00-00 00:00:00.000000'", "'2038-01-19 03:14:07.999999'", "'2024-03-31 01:30:00.5'"],
            moment,
        ),
        column("YEAR", ["0", "1901", "2155", "'0000'"], |random| (1901 + random.below(255)).to_string()),
    ]
}

fn date(random: &mut Random) -> String {
    format!("'{:04}-{:02}-{:02}'", random.below(10_000), random.below(12) + 1, random.below(28) + 1)
}

fn moment(random: &mut Random) -> String {
    let (day, second) = (random.below(12) * 28 + random.below(28), random.below(86_400));
    format!(
        "TIMESTAMPADD(MICROSECOND, {}, '1971-01-01' + INTERVAL {day} DAY + INTERVAL {second} SECOND + INTERVAL {} YEAR)",
        random.below(1_000_000),
        random.below(66)
    )
}

fn letters() -> Vec<Column> {
    let mut columns: Vec<Column> = [
        "CHAR(40)",
        "CHAR(40) COLLATE utf8mb4_bin",
        "VARCHAR(100)",
        "VARCHAR(100) COLLATE utf8mb4_unicode_ci",
        "VARCHAR(100) COLLATE utf8mb4_nopad_bin",
        "VARCHAR(100) COLLATE utf8mb4_general_ci",
        "VARCHAR(100) CHARACTER SET utf16",
        "VARCHAR(100) CHARACTER SET utf16le",
        "VARCHAR(100) CHARACTER SET utf32",
        "VARCHAR(200) COMPRESSED",
        "TINYTEXT",
        "TEXT",
        "MEDIUMTEXT",
        "LONGTEXT",
        "LONGTEXT COMPRESSED",
    ]
    .into_iter()
    .map(|declaration| {
        let text: fn(&mut Random) -> String = |random| quoted(&random.text(12));
        column(declaration, ["''", "' '", "'trailing  '", "'it''s \"quoted\" \\\\ \\n\\r\\t\\0 x'", "'日本😀'"], text)
    })
    .collect();
    // Of these sets all letters but a few are those of a page of 256, or of a country.
    let paged = [
        "VARCHAR(50) CHARACTER SET latin1",
        "CHAR(20) CHARACTER SET latin1 COLLATE latin1_german1_ci",
        "TEXT CHARACTER SET latin1",
        "VARCHAR(50) CHARACTER SET latin2",
        "VARCHAR(50) CHARACTER SET cp1250",
        "VARCHAR(50) CHARACTER SET cp1251",
        "VARCHAR(50) CHARACTER SET koi8r",
        "VARCHAR(50) CHARACTER SET greek",
        "VARCHAR(50) CHARACTER SET cp850",
    ];
    for declaration in paged {
        let text: fn(&mut Random) -> String = |random| {
            let bytes: String = (0..random.below(12)).map(|_| format!("{:02x}", 1 + random.below(127))).collect();
            format!("X'{bytes}'")
        };
        columns.push(column(declaration, ["''", "'it''s \\\\ \\0'", "X'80a0c4d0e5f1'"], text));
    }
    for declaration in [
        "VARCHAR(50) CHARACTER SET sjis",
        "VARCHAR(50) CHARACTER SET cp932",
        "VARCHAR(50) CHARACTER SET ujis",
        "VARCHAR(50) CHARACTER SET gbk",
        "VARCHAR(50) CHARACTER SET big5",
        "VARCHAR(50) CHARACTER SET euckr",
        "VARCHAR(50) CHARACTER SET ucs2",
        "VARCHAR(50) CHARACTER SET utf8mb3",
        "VARCHAR(50) CHARACTER SET ascii",
    ] {
        let text: fn(&mut Random) -> String = |random| {
            let bytes: String = (0..random.below(12)).map(|_| format!("{:02x}", 1 + random.below(127))).collect();
            format!("CONVERT(X'{bytes}' USING ascii)")
        };
        let extremes: &[&str] =
            if declaration.ends_with("ascii") { &["''", "'\\0'"] } else { &["''", "'日本'", "'\\\\ '"] };
        columns.push(Column {
            declaration,
            extremes: extremes.iter().map(|literal| (*literal).to_owned()).collect(),
            random: Some(text),
        });
    }
    columns.push(column(
        "ENUM('a', 'it''s', 'x,y', 'é', '') CHARACTER SET utf8mb4",
        ["'a'", "'it''s'", "''", "'x,y'", "'é'"],
        |random| (1 + random.below(5)).to_string(),
    ));
    columns.push(column("ENUM('ä', 'b') CHARACTER SET latin1", ["'ä'", "'b'"], |random| {
        (1 + random.below(2)).to_string()
    }));
    columns
        .push(column("SET('a', 'b b', 'it''s', 'é')", ["''", "'a,é'", "15"], |random| random.below(16).to_string()));
    columns.push(column("JSON", ["'{\"b\": 1,  \"a\": [null, 1e400]}'", "'\"\"'", "'{\"a\":1,\"a\":2}'"], |random| {
        format!("JSON_QUOTE({})", quoted(&random.text(12)))
    }));
    columns.push(column(
        "UUID",
        ["'00000000-0000-0000-0000-000000000000'", "'ffffffff-ffff-ffff-ffff-ffffffffffff'"],
        |random| format!("'{}'", random.hex_of(16)),
    ));
    columns.push(column(
        "INET6",
        ["'::'", "'::ffff:1.2.3.4'", "'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'"],
        |random| format!("X'{}'", random.hex_of(16)),
    ));
    columns.push(column("INET4", ["'0.0.0.0'", "'255.255.255.255'"], |random| format!("X'{}'", random.hex_of(4))));
    columns
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

fn bytes() -> Vec<Column> {
    let declarations = ["BINARY(20)", "VARBINARY(20)", "TINYBLOB", "BLOB", "MEDIUMBLOB", "LONGBLOB", "BLOB COMPRESSED"];
    let bytes: fn(&mut Random) -> String = |random| format!("X'{}'", random.hex(20));
    declarations.map(|declaration| column(declaration, ["X''", "X'00'", "X'ff20'", "X'275c220a0d1a00'"], bytes)).into()
}

fn shapes() -> Vec<Column> {
    let point = |random: &mut Random| format!("Point({}, {})", random.double(), random.digits(4, 9));
    vec![
        column("POINT", ["ST_GeomFromText('POINT(1 -0.1)', 4326)", "Point(0.1, 1e300)"], point),
        column("GEOMETRY", ["ST_GeomFromText('LINESTRING(0 0,1 1)', 3857)"], point),
        column("LINESTRING", ["ST_GeomFromText('LINESTRING(0 0,0.1 0.2,1e-300 5)')"], |random| {
            format!("LineString(Point({}, 0), Point(1, {}))", random.double(), random.double())
        }),
        column(
            "POLYGON NOT NULL",
            ["ST_GeomFromText('POLYGON((0 0,10 0,10 10,0 10,0 0),(5 5,7 5,7 7,5 7,5 5))')"],
            |_| "ST_GeomFromText('POLYGON((0 0,1 0,1 1,0 0))')".to_owned(),
        ),
        column("MULTIPOINT", ["ST_GeomFromText('MULTIPOINT(0 0,1 1)')"], |random| {
            format!("MultiPoint(Point({}, 1))", random.double())
        }),
        column("MULTILINESTRING", ["ST_GeomFromText('MULTILINESTRING((0 0,1 1),(2 2,3 3))')"], |_| "NULL".to_owned()),
        column("MULTIPOLYGON", ["ST_GeomFromText('MULTIPOLYGON(((0 0,1 0,1 1,0 0)))')"], |_| "NULL".to_owned()),
        column(
            "GEOMETRYCOLLECTION",
            [
                "ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 1),LINESTRING(0 0,1 1))')",
                "ST_GeomFromText('GEOMETRYCOLLECTION EMPTY')",
            ],
            |_| "NULL".to_owned(),
        ),
    ]
}
