//! Documents, ranges, and types that are made from other types of PostgreSQL.

use super::postgres_values::quoted;
use super::random::{Column, column};

pub fn documents() -> Vec<Column> {
    vec![
        column(
            "json",
            ["'{\"b\" : 1,  \"a\":[ null,1e400 ], \"b\": 2}'", "' \"\" '", "'null'", "E'{\\n}'"],
            |random| format!("to_json({}::text)", quoted(&random.text(9))),
        ),
        column(
            "jsonb",
            [
                "'{\"b\" : 1,  \"a\":[ null,1.00 ], \"b\": 2}'",
                "'null'",
                "'\"\\u00e9\\\\\"'",
                "'123456789012345678901234567890.10'",
            ],
            |random| format!("to_jsonb({}::text)", quoted(&random.text(9))),
        ),
        column("jsonpath", ["'$.a[*] ? (@ > 1)'", "'strict $.\"b c\"'"], |random| format!("'$[{}]'", random.below(9))),
        column(
            "xml",
            ["''", "'<a b=\"''\">&lt;  <c/></a>'", "'text only'", "'<?xml version=\"1.0\"?><a/>'", "'<a/><b/>'"],
            |random| format!("xmlelement(name a, {}::text)", quoted(&random.text(6).replace('\u{1}', ""))),
        ),
        column("tsvector", ["''", "'''it''''s'':1A,2B \"x\\\\y\":3'", "'a:1,16383D b'"], |random| {
            format!("to_tsvector('simple', {}::text)", quoted(&random.text(12)))
        }),
        column("tsquery", ["''", "'a & !(b | ''c d'':AB*) <3> e'"], |random| {
            format!("plainto_tsquery('simple', {}::text)", quoted(&random.text(12)))
        }),
        column("pg_snapshot", ["'10:20:10,14,15'"], |random| format!("'{0}:{0}:'", 1 + random.below(1 << 40))),
        column("int2vector", ["''", "'1 -2 3'"], |random| format!("'{}'", random.signed(15))),
        column("oidvector", ["'1 2 4294967295'"], |random| format!("'{}'", random.unsigned(32))),
    ]
}

pub fn ranges() -> Vec<Column> {
    vec![
        column("int4range", ["'empty'", "'(,)'", "'[1,5)'"], |random| {
            format!("int4range({}, NULL)", random.signed(31))
        }),
        column("int8range", ["'empty'", "'(,-9]'"], |random| format!("int8range(NULL, {})", random.signed(60))),
        column("numrange", ["'empty'", "'(1.10,2.2]'", "'[NaN,NaN]'"], |random| {
            format!("numrange(NULL, {}, '(]')", random.digits(9, 9))
        }),
        column("tsrange", ["'[2024-01-01 00:00:00.000001,infinity]'", "'(,0044-03-15 BC]'"], |_| "'empty'".to_owned()),
        column("tstzrange", ["'[2024-01-01 00:00:00.5+00,2025-01-01+05:30)'"], |_| "'(,)'".to_owned()),
        column("daterange", ["'[2024-01-01,infinity)'", "'[0044-03-15 BC,)'"], |random| {
            format!("daterange(NULL, date '2000-01-01' + {})", random.below(9999))
        }),
        column("floatrange", ["'[0.1,Infinity]'", "'(-0,5e-324]'"], |random| {
            format!("floatrange(NULL, '{}')", random.double())
        }),
        column("int4multirange", ["'{}'", "'{[1,3),[5,9)}'"], |random| {
            format!("int4multirange(int4range({}, NULL))", random.signed(31))
        }),
        column("nummultirange", ["'{(,1.10],[2.20,3)}'"], |_| "'{}'".to_owned()),
        column("tstzmultirange", ["'{[2024-01-01+00,2024-01-02+00),[2025-01-01+00,)}'"], |_| "'{}'".to_owned()),
        column("datemultirange", ["'{[2024-01-01,2024-01-05)}'"], |_| "'{(,)}'".to_owned()),
    ]
}

pub fn made_of_others() -> Vec<Column> {
    vec![
        column(
            "integer[]",
            ["'{}'", "'{NULL,1}'", "'{{1,2},{3,NULL}}'", "'[-2:0]={1,2,3}'", "'[0:0][5:6]={{1,2}}'"],
            |random| format!("ARRAY[{}, NULL]", random.signed(32)),
        ),
        column(
            "text[]",
            [
                "'{}'",
                "ARRAY['', 'NULL', NULL, '\"', '\\', '{}', ',', ' a ', E'\\n']",
                "ARRAY[['a', 'b'], ['it''s', NULL]]",
            ],
            |random| format!("ARRAY[{}, {}]", quoted(&random.text(6)), quoted(&random.text(6))),
        ),
        column("bpchar[]", ["ARRAY['a  ', '']::bpchar[]"], |_| "'{}'".to_owned()),
        column("bytea[]", ["ARRAY['\\x00ff'::bytea, '', NULL]"], |random| {
            format!("ARRAY['\\x{}'::bytea]", random.hex(9))
        }),
        column("timestamptz[]", ["ARRAY['infinity', '4713-01-01 00:00+00 BC']::timestamptz[]"], |_| "'{}'".to_owned()),
        column("interval[]", ["ARRAY['-1 mon 2 days -03:00'::interval]"], |_| "NULL".to_owned()),
        column("double precision[]", ["'{NaN,-Infinity,-0,5e-324,0.1}'"], |random| {
            format!("ARRAY['{}'::float8]", random.double())
        }),
        column("jsonb[]", ["ARRAY['{\"a\": \"\\\"\"}'::jsonb, NULL]"], |_| "'{}'".to_owned()),
        column(
            "composite",
            [
                "ROW(NULL, NULL, NULL, NULL, NULL, NULL)",
                "ROW(1, 'it''s \"(x,)\" \\', ARRAY['a\"b', NULL], '(1,2)', 'ab', 'ab  ')",
                "ROW(1, '', '{}', NULL, '', '')",
            ],
            |random| {
                format!(
                    "ROW({}, {}, ARRAY[{}], point({}, -0.1), 'x', ' ')",
                    random.signed(32),
                    quoted(&random.text(9)),
                    quoted(&random.text(4)),
                    random.digits(2, 17)
                )
            },
        ),
        column(
            "composite[]",
            ["ARRAY[ROW(1, 'a,\"b\\', ARRAY['{\"'], '(0.1,2)', 'ab', 'ab ')::composite, NULL]"],
            |_| "'{}'".to_owned(),
        ),
        column("positive", ["0", "99999.00001"], |random| random.unsigned(40)),
        column("words", ["ARRAY['a', NULL, '\"']"], |random| format!("ARRAY[{}]", quoted(&random.text(6)))),
        column("padded", ["'a  '", "''"], |_| "'ab'".to_owned()),
        column("unpadded", ["'a  '", "''", "'  '"], |_| "'ab '".to_owned()),
        column("twice", ["'a  '", "''", "'  '"], |_| "'ab '".to_owned()),
        column(
            "\"Other \"\"Schema\".\"mood's\"[]",
            ["ARRAY['it''s \"ok\"', '', 'a,b']::\"Other \"\"Schema\".\"mood's\"[]"],
            |_| "'{}'".to_owned(),
        ),
        column("citext[]", ["ARRAY['A', 'a', '']::citext[]"], |_| "'{}'".to_owned()),
        column("integer NOT NULL DEFAULT 7", ["-5", "0"], |random| random.signed(31)),
    ]
}
