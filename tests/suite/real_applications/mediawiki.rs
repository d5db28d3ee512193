//! MediaWiki on MariaDB: names in bytes, folders by their hash, and files that are current, old, deleted or suppressed.

use super::scene::{Scene, blocks};
use crate::support::mariadb::MariaDb;
use crate::support::servers::Database;

/// As MediaWiki 1.39 makes them, without columns that say nothing of files.
const TABLES: &str = "
    CREATE TABLE image (
        img_name varbinary(255) NOT NULL DEFAULT '' PRIMARY KEY,
        img_size int(10) unsigned NOT NULL DEFAULT 0,
        img_timestamp binary(14) NOT NULL,
        img_sha1 varbinary(32) NOT NULL DEFAULT ''
    ) DEFAULT CHARSET=binary;
    CREATE TABLE oldimage (
        oi_name varbinary(255) NOT NULL DEFAULT '',
        oi_archive_name varbinary(255) NOT NULL DEFAULT '',
        oi_timestamp binary(14) NOT NULL,
        oi_deleted tinyint(3) unsigned NOT NULL DEFAULT 0,
        oi_sha1 varbinary(32) NOT NULL DEFAULT '',
        KEY oi_name_archive_name (oi_name, oi_archive_name(14))
    ) DEFAULT CHARSET=binary;
    CREATE TABLE filearchive (
        fa_id int(10) unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
        fa_name varbinary(255) NOT NULL DEFAULT '',
        fa_storage_group varbinary(16) DEFAULT NULL,
        fa_storage_key varbinary(64) DEFAULT '',
        fa_deleted_timestamp binary(14) DEFAULT NULL
    ) DEFAULT CHARSET=binary;";

#[test]
#[ignore = "needs MariaDB: run tests/run"]
fn mediawiki() {
    let database = MariaDb::new();
    database.run(TABLES);
    let made = "DATE_FORMAT(UTC_TIMESTAMP() - INTERVAL 90 DAY, '%Y%m%d%H%i%s')";
    for name in ["A.png", "Old.png", "Anim.gif", "Päper.pdf", "It''s_\"q\"_(1)_100%.jpg", "Ünï_cödé_&_+_日本語_😀.jpg"]
    {
        database.run(&format!("INSERT INTO image VALUES ('{name}', 7, {made}, 'o7dx49iuir1dpr1cbogekuydglzsrbs')"));
    }
    let old = [
        ("Old.png", "20250125231317!Old.png", 0, "o7dx49iuir1dpr1cbogekuydglzsrbs"),
        ("Old.png", "20250125231319!Old.png", 0, "o7dx49iuir1dpr1cbogekuydglzsrbs"),
        // Suppressed, one of them with its summary too.
        ("Old.png", "20250125231321!Old.png", 1, "72p8fi8pjotlxmzb4kmhbs6ublbwxy9"),
        ("Scan.JPEG", "20250125231322!Scan.JPEG", 3, "8f7t0zouy17uqwe703zjxcrc22s9j72"),
        // Its user alone is hidden.
        ("A.png", "20250125231323!A.png", 4, "rrn86bn453e5qrioz5ejmje497emvpk"),
        // A version whose file was lost long ago, as MediaWiki itself has it.
        ("A.png", "", 0, ""),
    ];
    for (name, archived, deleted, sha1) in old {
        database.run(&format!("INSERT INTO oldimage VALUES ('{name}', '{archived}', {made}, {deleted}, '{sha1}')"));
    }
    let deleted = [(1, "k82ici0di24z6lly4f41xxgfk1k6f7u.jpg"), (2, "1jicbr6vi61gca6bx8778xhiy45ypzw.png"), (3, "")];
    for (id, key) in deleted {
        database.run(&format!("INSERT INTO filearchive VALUES ({id}, 'Gone.jpg', 'deleted', '{key}', {made})"));
    }
    let scene = Scene::in_a_folder(&database, &blocks("MediaWiki"));
    scene.put(&[
        "7/70/A.png",
        "9/9a/Old.png",
        "5/52/Päper.pdf",
        "5/5c/It's_\"q\"_(1)_100%.jpg",
        "6/61/Ünï_cödé_&_+_日本語_😀.jpg",
        "archive/7/70/20250125231323!A.png",
        "archive/9/9a/20250125231317!Old.png",
        "deleted/7/2/p/72p8fi8pjotlxmzb4kmhbs6ublbwxy9.png",
        "deleted/8/f/7/8f7t0zouy17uqwe703zjxcrc22s9j72.jpg",
        "deleted/k/8/2/k82ici0di24z6lly4f41xxgfk1k6f7u.jpg",
        "thumb/5/5c/It's_\"q\"_(1)_100%.jpg/120px-It's_\"q\"_(1)_100%.jpg",
        "thumb/7/70/A.png/120px-A.png",
        "thumb/7/70/A.png/250px-A.png",
        "thumb/archive/9/9a/20250125231317!Old.png/50px-Old.png",
        // Of lost ones.
        "thumb/7/73/Anim.gif/120px-Anim.gif",
        "thumb/archive/9/9a/20250125231319!Old.png/50px-Old.png",
        // What MediaWiki puts there itself, or clears up by itself.
        "README",
        ".htaccess",
        "deleted/.htaccess",
        "deleted/k/8/2/index.html",
        "lockdir/o7dx49iuir1dpr1cbogekuydglzsrbs.lock",
        "temp/8/80/20250125231323!e.gif",
        "thumb/temp/8/80/20250125231323!e.gif/120px-e.gif",
    ]);
    let orphans = [
        "6/65/Sql.png",
        "f/fd/Crash.png",
        "archive/9/9a/20250125231320!Old.png",
        "deleted/8/f/7/8f7t0zouy17uqwe703zjxcrc22s9j72.jpeg",
        "deleted/r/r/n/rrn86bn453e5qrioz5ejmje497emvpk.png",
        "thumb/6/65/Sql.png/10px-Sql.png",
        "thumb/archive/9/9a/20250125231320!Old.png/50px-Old.png",
    ];
    scene.put(&orphans);

    // Ids of bytes are told in hexadecimal digits.
    let hex = |text: &str| text.bytes().map(|byte| format!("{byte:02x}")).collect::<String>();
    let old = format!("[\"{}\",\"{}\"]", hex("Old.png"), hex("20250125231319!Old.png"));
    scene.finds_and_removes_exactly(
        &orphans,
        &[
            ("image", &hex("Anim.gif"), "7/73/Anim.gif"),
            ("oldimage", &old, "archive/9/9a/20250125231319!Old.png"),
            ("filearchive", "2", "deleted/1/j/i/1jicbr6vi61gca6bx8778xhiy45ypzw.png"),
        ],
    );
}
