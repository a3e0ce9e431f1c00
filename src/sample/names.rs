//! Invented names: of people, companies, places and products.
//!
//! Some of them carry what breaks careless programs: `#`, `&`, `<`, quotes, commas, semicolons, line breaks, a
//! leading `=`, `+`, `-` or `@`, and letters from all over Europe. They are part of the sample on purpose.

use crate::sample::plan::BRACKWATER;
use crate::sample::rng::Rng;

/// Where a company sits: city, country, and what its legal form is called there.
pub type Place = (&'static str, &'static str, &'static str);

/// Where Alderbrook's customers usually sit.
pub const PLACES: [Place; 18] = [
    ("Hamburg", "Germany", "GmbH"),
    ("München", "Germany", "GmbH"),
    ("Köln", "Germany", "GmbH & Co. KG"),
    ("Jena", "Germany", "e.G."),
    ("Zürich", "Switzerland", "AG"),
    ("Wien", "Austria", "GmbH"),
    ("Lyon", "France", "SAS"),
    ("Århus", "Denmark", "A/S"),
    ("Göteborg", "Sweden", "AB"),
    ("Trondheim", "Norway", "AS"),
    ("Gdańsk", "Poland", "sp. z o.o."),
    ("Utrecht", "Netherlands", "B.V."),
    ("Győr", "Hungary", "Kft."),
    ("İzmir", "Türkiye", "A.Ş."),
    ("Coimbra", "Portugal", "Lda."),
    ("Zaragoza", "Spain", "S.L."),
    ("Leeds", "United Kingdom", "Ltd"),
    ("Brno", "Czechia", "s.r.o."),
];

/// Where Alderbrook's customers overseas sit.
pub const AMERICAN: [Place; 5] = [
    ("Boston", "United States", "Inc."),
    ("Portland", "United States", "LLC"),
    ("Houston", "United States", "Corp."),
    ("Madison", "United States", "Inc."),
    ("Tacoma", "United States", "LLC"),
];

/// Where Brackwater's customers sit.
pub const BRITISH: [Place; 8] = [
    ("Hull", "United Kingdom", "Limited"),
    ("Leeds", "United Kingdom", "Limited"),
    ("Bristol", "United Kingdom", "plc"),
    ("Aberdeen", "United Kingdom", "Limited"),
    ("Swansea", "United Kingdom", "Cyf"),
    ("Belfast", "United Kingdom", "Limited"),
    ("Cork", "Ireland", "DAC"),
    ("Norwich", "United Kingdom", "LLP"),
];

/// Brackwater's first books' first accounts.
const PECULIAR_BRITISH: [(&str, &str); 4] = [
    ("=1+1 Flow Controls Ltd", "=1+1 Flow"),
    ("Smythe & <Sons> #Gauges Ltd", "Smythe & <Sons>"),
    ("Llanfair \"Deep\" Wells\nUnit 9, Quay Rd", "Llanfair \"Deep\""),
    ("@Tidewater; Level, Flow | Co Ltd", "@Tidewater"),
];

/// The first books' first accounts: in full, and as people call them.
const PECULIAR: [(&str, &str); 16] = [
    ("Grønvik & Łasko <Messtechnik> GmbH", "Grønvik & Łasko"),
    ("#1 Sensorik Wendelrode e.K.", "#1 Sensorik"),
    ("Probenwerk \"Alte Mühle\" OHG", "Probenwerk \"Alte Mühle\""),
    ("D'Aubrecourt Analyse, Fils & Cie", "D'Aubrecourt"),
    ("=Summa= Metrologie AG", "=Summa="),
    ("Fjellåsen Måleteknikk AS; avd. Nord", "Fjellåsen"),
    ("Oberkrummbach Werke\nAbt. Einkauf, Gebäude 4", "Oberkrummbach"),
    ("Şenyıldırım Ölçüm A.Ş.", "Şenyıldırım"),
    ("+Plus Analytik, Tarnowitz", "+Plus Analytik"),
    ("Żółkiewnik Sondy sp. z o.o.", "Żółkiewnik"),
    ("-40° Kryolabor Ltd", "-40° Kryolabor"),
    ("@werk Klimafühler UG", "@werk"),
    ("Hodonínské přístroje s.r.o.", "Hodonínské"),
    ("50 % Feuchte_Labor [Süd] *Nord*", "50 % Feuchte"),
    ("Œuvres d'Éprouvette $ Fils SARL", "Œuvres d'Éprouvette"),
    ("Back\\slash ~Sensor~ `Labs` Oy", "Back\\slash"),
];

const STEMS: [&str; 36] = [
    "Adel", "Barn", "Brem", "Dorn", "Elg", "Falk", "Fjor", "Grün", "Hask", "Immen", "Jost", "Kald", "Kresz", "Lind",
    "Maar", "Mölk", "Nord", "Ober", "Öster", "Pilk", "Quell", "Ravn", "Rós", "Sarn", "Sköl", "Tarn", "Thal", "Ulm",
    "Varn", "Vész", "Wend", "Wolk", "Ypern", "Zand", "Ziel", "Żur",
];

const TAILS: [&str; 32] = [
    "aby", "acker", "bæk", "berge", "bronn", "dalen", "eczka", "egg", "ello", "enau", "erud", "essa", "fjell", "frith",
    "gård", "hagen", "holt", "ikow", "inge", "kær", "lund", "marsh", "mühl", "naes", "oux", "ridge", "rode", "stedt",
    "swyk", "thorpe", "vinge", "wick",
];

/// What a company does, by its name and in the CRM's words.
const TRADES: [(&str, &str); 16] = [
    ("Analytik", "Research"),
    ("Biotech", "Biotechnology"),
    ("Chemie", "Chemicals"),
    ("Dairy", "Food & Beverage"),
    ("Energy", "Energy"),
    ("Food", "Food & Beverage"),
    ("Hydro", "Utilities"),
    ("Klinik", "Healthcare"),
    ("Labor", "Research"),
    ("Marine", "Marine"),
    ("Optik", "Research"),
    ("Pharma", "Healthcare"),
    ("Polymers", "Chemicals"),
    ("Research", "Research"),
    ("Textil", "Manufacturing"),
    ("Water", "Utilities"),
];

const PRODUCTS: [&str; 14] = [
    "pH probes",
    "flow loggers",
    "lab rollout",
    "field kit",
    "gas sensors",
    "calibration",
    "data gateway",
    "turbidity line",
    "cold chain",
    "level meters",
    "spares & service",
    "pilot plant",
    "O₂ monitoring",
    "upgrade",
];

const FIRST: [&str; 28] = [
    "Aïcha", "Anselm", "Birgit", "Björn", "Chiara", "Cyril", "Dagny", "Derya", "Elif", "Emeric", "Fátima", "Gesa",
    "Gösta", "Halina", "Ivar", "Jorun", "Kerstin", "Lázaro", "Maëlle", "Marek", "Núria", "Odile", "Per", "Rasmus",
    "Soraya", "Tibor", "Wanda", "Yusuf",
];

const LAST: [&str; 31] = [
    "Abendthal",
    "Aspelin-Roux",
    "Barlowicz",
    "Bjurfors",
    "Brandhuber",
    "Cadavieco",
    "Dalhousen",
    "Demirsoylu",
    "Eikenes",
    "Fauchereau",
    "Fuglerud",
    "Gąsiewicz",
    "Grauvogel",
    "Hallström-Ek",
    "Immerlin",
    "Jóźwicka",
    "Kirchweg",
    "Köhlbrand",
    "Lindhagen",
    "Mac Ruadhan",
    "Moldaschl",
    "Nørremark",
    "O'Dubhain",
    "Pålbakken",
    "Queirolo",
    "Rantzau",
    "Sørbotten",
    "Tjärnholm",
    "Uhlenbusch",
    "Vasconcelo",
    "Weisspfennig",
];

/// An invented company.
#[derive(Clone)]
pub struct Company {
    /// The name in full.
    pub name: String,
    /// What people call it.
    pub short: String,
    /// What it does.
    pub industry: &'static str,
    /// Where it sits.
    pub place: Place,
}

/// The company behind a book's n-th account; it shares name and industry with the group that it
/// belongs to, if any.
pub fn company(book: usize, number: usize, group: Option<&Company>, places: &[Place], rng: &mut Rng) -> Company {
    let place = rng.pick(places);
    let stem = format!("{}{}", rng.pick(&STEMS), rng.pick(&TAILS));
    let (trade, industry) = rng.pick(&TRADES);
    let peculiar = PECULIAR.get(book).or_else(|| PECULIAR_BRITISH.get(book.wrapping_sub(BRACKWATER)));
    if let (0, Some((name, short))) = (number, peculiar) {
        let (name, short) = (*name, *short);
        return Company { name: name.to_owned(), short: short.to_owned(), industry, place };
    }
    match group {
        Some(group) => {
            let name = format!("{} {} {}", group.short, place.0, place.2);
            Company { name, short: group.short.clone(), industry: group.industry, place }
        }
        None => Company { name: format!("{stem} {trade} {}", place.2), short: stem, industry, place },
    }
}

/// The host of a company's site: its name in plain small letters.
pub fn host(company: &Company) -> String {
    let name = company.name.strip_suffix(company.place.2).unwrap_or(&company.name);
    mailbox(name).chars().filter(char::is_ascii_alphanumeric).collect()
}

/// What a deal is about.
pub fn product(rng: &mut Rng) -> &'static str {
    rng.pick(&PRODUCTS)
}

/// Anybody's first and last name.
pub fn anybody(rng: &mut Rng) -> (&'static str, &'static str) {
    (rng.pick(&FIRST), rng.pick(&LAST))
}

/// The n-th of many different names.
pub fn colleague(number: usize) -> (String, String) {
    let (first, round) = (FIRST[number % FIRST.len()], number / FIRST.len());
    // 29 and 31 have no common divisor, so the pair returns only after all of them.
    let last = LAST[(round + number) % LAST.len()];
    match number / (FIRST.len() * LAST.len()) {
        0 => (first.to_owned(), last.to_owned()),
        again => (first.to_owned(), format!("{last} {again}")),
    }
}

/// The name of an e-mail box: plain small letters.
pub fn mailbox(name: &str) -> String {
    name.to_lowercase().chars().filter_map(plain).collect()
}

fn plain(letter: char) -> Option<char> {
    let plain = match letter {
        'a'..='z' | '0'..='9' | '.' | '@' => letter,
        'á' | 'à' | 'â' | 'ä' | 'å' | 'ą' | 'æ' => 'a',
        'ç' | 'č' | 'ć' => 'c',
        'ð' => 'd',
        'é' | 'è' | 'ê' | 'ë' | 'ę' => 'e',
        'í' | 'ï' | 'î' | 'ı' => 'i',
        'ł' => 'l',
        'ñ' | 'ń' => 'n',
        'ó' | 'ö' | 'ø' | 'ő' | 'œ' => 'o',
        'ş' | 'š' | 'ś' => 's',
        'ú' | 'ü' => 'u',
        'ž' | 'ź' | 'ż' => 'z',
        _ => return None,
    };
    Some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn colleagues_have_different_names() {
        let names: BTreeSet<_> = (0..2500).map(colleague).collect();
        assert_eq!(names.len(), 2500);
        let boxes: BTreeSet<_> = names.iter().map(|(first, last)| mailbox(&format!("{first}.{last}"))).collect();
        assert_eq!(boxes.len(), 2500);
    }
}
