//! Values as literals of SQL, the same in every run: extremes in turn, and others between them.

/// Letters that quoting, escaping or a conversion may trip over. All of them are in Unicode's first plane but one.
const LETTERS: [&str; 26] = [
    "a", "B", " ", "'", "\"", "\\", "\n", "\r", "\t", "\u{1}", "\u{7f}", "é", "ß", "日", "😀", "{", "}", ",", "(", ")",
    "\u{200b}", "%", "_", "NULL", "\\N", "::",
];

/// Steele, Lea and Flood's SplitMix64.
pub struct Random(pub u64);

impl Random {
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, end: u64) -> u64 {
        self.bits() % end
    }

    /// A whole number of so many bits, with its sign.
    pub fn signed(&mut self, bits: u32) -> String {
        ((self.bits() as i64) >> (64 - bits)).to_string()
    }

    pub fn unsigned(&mut self, bits: u32) -> String {
        (self.bits() >> (64 - bits)).to_string()
    }

    /// Any finite number.
    pub fn double(&mut self) -> String {
        let number = f64::from_bits(self.bits());
        if number.is_finite() { format!("{number:e}") } else { "0.1".to_owned() }
    }

    pub fn single(&mut self) -> String {
        let number = f32::from_bits(self.bits() as u32);
        if number.is_finite() { format!("{number:e}") } else { "0.1".to_owned() }
    }

    pub fn digits(&mut self, before: u64, after: u64) -> String {
        let sign = if self.below(2) == 0 { "-" } else { "" };
        let mut digits = |most: u64| {
            let many = self.below(most) + 1;
            (0..many).map(|_| char::from(b'0' + self.below(10) as u8)).collect::<String>()
        };
        let (whole, rest) = (digits(before), digits(after));
        format!("{sign}{whole}.{rest}")
    }

    pub fn hex(&mut self, most: u64) -> String {
        let many = self.below(most + 1);
        (0..many).map(|_| format!("{:02x}", self.below(256))).collect()
    }

    pub fn hex_of(&mut self, bytes: usize) -> String {
        (0..bytes).map(|_| format!("{:02x}", self.below(256))).collect()
    }

    /// Text of up to `most` of the [`LETTERS`].
    pub fn text(&mut self, most: u64) -> String {
        let many = self.below(most + 1);
        (0..many).map(|_| LETTERS[self.below(LETTERS.len() as u64) as usize]).collect()
    }
}

/// A column of a table that is filled with values.
pub struct Column {
    /// The type, and what else stands behind the name.
    pub declaration: &'static str,
    /// Literals that the column is sure to hold.
    pub extremes: Vec<String>,
    /// Another literal; `None`: the database computes the column.
    pub random: Option<fn(&mut Random) -> String>,
}

pub fn column<const N: usize>(
    declaration: &'static str,
    extremes: [&str; N],
    random: fn(&mut Random) -> String,
) -> Column {
    Column { declaration, extremes: extremes.map(str::to_owned).to_vec(), random: Some(random) }
}

pub fn computed(declaration: &'static str) -> Column {
    Column { declaration, extremes: Vec::new(), random: None }
}

impl Column {
    /// The literal of a row, by its number: NULL every seventh time, an extreme every other time.
    pub fn value(&self, row: usize, random: &mut Random) -> Option<String> {
        let make = self.random?;
        let is_nullable = !self.declaration.contains("NOT NULL");
        Some(match row % 7 {
            0 if is_nullable => "NULL".to_owned(),
            2 | 4 | 6 if !self.extremes.is_empty() => self.extremes[row / 2 % self.extremes.len()].clone(),
            _ => make(random),
        })
    }
}

/// The values of a row, for each column that is written; `at` is where the first of `columns` stands in the table.
pub fn values(columns: &[Column], row: usize, random: &mut Random) -> String {
    let values = columns.iter().filter_map(|column| column.value(row, random));
    values.collect::<Vec<_>>().join(", ")
}

/// The names of the columns: some need quoting.
pub fn name(at: usize) -> String {
    match at % 5 {
        0 => format!("c {at}"),
        1 => format!("Ç{at}"),
        2 => format!("select{at}"),
        3 => format!("{at}'%"),
        _ => format!("c{at}"),
    }
}
