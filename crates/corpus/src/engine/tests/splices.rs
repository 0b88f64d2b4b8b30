//! The scanner over files against its naive twin over the texts themselves: whatever the form of
//! the file, the sizes it is read by and the cores, the verdicts are the same.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, StringArray};
use facts::{AccountId, ExchangeId, ModelName, Timestamp};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use provenance::{
    AuditKey, Calibrated, Depth, GRAM, Guarantee, Month, OutputText, Registry, Role, Scanner,
    SegmentBuilder, Verdict, normal_words,
};

use super::*;

const ROUNDS: usize = 56;
const DOCUMENTS_A_FILE: usize = 230;

fn rows(texts: &[String]) -> RecordBatch {
    let texts: ArrayRef = Arc::new(StringArray::from(texts.to_vec()));
    RecordBatch::try_from_iter([("text", texts)]).unwrap()
}

/// A Parquet file with so many rows a group.
pub(super) fn parquet(texts: &[String], group: usize) -> Vec<u8> {
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(group));
    let batch = rows(texts);
    let properties = Some(properties.build());
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), properties).unwrap();
    writer.write(&batch).unwrap();
    writer.into_inner().unwrap()
}

/// An Arrow file, of its file form or its stream form.
pub(super) fn arrow(texts: &[String], file: bool) -> Vec<u8> {
    use arrow_ipc::writer::{FileWriter, StreamWriter};
    let batch = rows(texts);
    if file {
        let mut writer = FileWriter::try_new(Vec::new(), &batch.schema()).unwrap();
        writer.write(&batch).unwrap();
        return writer.into_inner().unwrap();
    }
    let mut writer = StreamWriter::try_new(Vec::new(), &batch.schema()).unwrap();
    writer.write(&batch).unwrap();
    writer.into_inner().unwrap()
}

struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % n as u64).unwrap()
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }

    /// Words that differ in length and script.
    fn words(&mut self, salt: char, count: usize) -> Vec<String> {
        const FORMS: [&str; 6] = [
            "a",
            "word",
            "größe",
            "слово",
            "averyverylongwordindeed",
            "Ab",
        ];
        (0..count)
            .map(|_| format!("{salt}{}{}", self.of(&FORMS), self.below(1 << 30)))
            .collect()
    }

    fn joined(&mut self, words: &[String]) -> String {
        const BETWEEN: [&str; 7] = [" ", ", ", "\n", " — ", ". ", "  ", "\u{200b} "];
        let mut text = String::new();
        for word in words {
            text.push_str(word);
            text.push_str(self.of(&BETWEEN));
        }
        text.trim_end().to_owned()
    }
}

/// Every run of eight normalised words of the outputs, as words, and whose it is.
struct Naive(HashMap<Vec<String>, BTreeSet<usize>>);

impl Naive {
    fn of(texts: &[String]) -> Self {
        let mut runs: HashMap<Vec<String>, BTreeSet<usize>> = HashMap::new();
        for (output, text) in texts.iter().enumerate() {
            for run in normal_words(text).windows(GRAM) {
                runs.entry(run.to_vec()).or_default().insert(output);
            }
        }
        Self(runs)
    }

    /// How many words, and of each output how many grams, once a probe has met one.
    fn told(&self, document: &str, step: usize) -> String {
        let words = normal_words(document);
        let mut shared: BTreeMap<usize, HashSet<&[String]>> = BTreeMap::new();
        let probes = || words.windows(GRAM).step_by(step);
        if probes().any(|gram| self.0.contains_key(gram)) {
            for gram in words.windows(GRAM) {
                for output in self.0.get(gram).into_iter().flatten() {
                    shared.entry(*output).or_default().insert(gram);
                }
            }
        }
        let shared = shared
            .into_iter()
            .map(|(output, grams)| (output, grams.len()));
        line_of(words.len(), &shared.collect())
    }
}

fn line_of(words: usize, shared: &BTreeMap<usize, usize>) -> String {
    format!("{words} words, {shared:?}")
}

/// Scans each document, every second one in pieces.
struct Scan<'r> {
    scanner: Scanner<'r>,
    registry: &'r Registry,
}

impl Scan<'_> {
    fn verdict(&self, text: &str, row: u64) -> Verdict {
        if row.is_multiple_of(2) {
            return self.scanner.scan(text);
        }
        let (mut stream, mut rest, mut dice) = (self.scanner.stream(), text, Dice(row));
        while !rest.is_empty() {
            let mut cut = (1 + dice.below(97)).min(rest.len());
            while !rest.is_char_boundary(cut) {
                cut += 1;
            }
            let (head, tail) = rest.split_at(cut);
            stream.push(head);
            rest = tail;
        }
        stream.finish()
    }
}

impl Job for Scan<'_> {
    type Said = Vec<(u64, String)>;

    fn nothing(&self) -> Self::Said {
        Vec::new()
    }

    fn look(&self, document: &Document<'_>, said: &mut Self::Said) {
        let verdict = self.verdict(&document.text, document.row);
        let in_words = verdict.matches.iter().filter(|m| m.features.shared[0] > 0);
        let shared = in_words.map(|m| {
            let output = self.registry.outputs()[m.output]
                .id
                .as_str()
                .parse()
                .unwrap();
            (output, m.features.shared[0] as usize)
        });
        said.push((document.row, line_of(verdict.words, &shared.collect())));
    }

    fn write(&self, said: Self::Said, place: Place<'_>, to: &mut Vec<u8>) {
        for (row, told) in said {
            writeln!(to, "{}:{} {told}", place.number, place.row(row)).unwrap();
        }
    }
}

fn registry(key: &AuditKey, texts: &[String]) -> Registry {
    let account = AccountId::parse("a").unwrap();
    let mut builder = SegmentBuilder::new(key, account.clone(), Month::of(Timestamp(0)));
    for (n, text) in texts.iter().enumerate() {
        let output = OutputText {
            id: ExchangeId::parse(&n.to_string()).unwrap(),
            account: account.clone(),
            prompt: "",
            text,
            at: Timestamp(0),
            model: ModelName::parse("m").unwrap(),
            role: Role::Output,
        };
        builder.add(&output).unwrap();
    }
    Registry::join(key.id(), vec![builder.build()], None).unwrap()
}

/// A run of words of an output in a document of strange words, now and then of a second output.
fn spliced(dice: &mut Dice, outputs: &[Vec<String>], longest: usize) -> (String, usize, usize) {
    let (output, run) = (dice.below(outputs.len()), 1 + dice.below(longest));
    let from = dice.below(outputs[output].len() - run + 1);
    let before = dice.below(40);
    let mut words = dice.words('q', before);
    words.extend_from_slice(&outputs[output][from..from + run]);
    let after = dice.below(40);
    words.extend(dice.words('q', after));
    if dice.below(4) == 0 {
        let other = dice.below(outputs.len());
        words.extend_from_slice(&outputs[other][..dice.below(30)]);
    }
    (dice.joined(&words), output, run)
}

fn in_lines(texts: &[String]) -> Vec<u8> {
    let line = |text: &String| format!("{}\n", serde_json::json!({"text": text}));
    texts.iter().map(line).collect::<String>().into_bytes()
}

fn in_tar(texts: &[String]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (n, text) in texts.iter().enumerate() {
        let (name, bytes) = if n % 2 == 0 {
            (format!("{n}.txt"), text.clone().into_bytes())
        } else {
            let row = serde_json::json!({"text": text}).to_string();
            (format!("{n}.json"), row.into_bytes())
        };
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, name, &bytes[..]).unwrap();
    }
    tar.into_inner().unwrap()
}

fn packed(form: usize, texts: &[String], dice: &mut Dice) -> (&'static str, Vec<u8>) {
    match form {
        0 => ("a.jsonl", in_lines(texts)),
        1 => ("b.jsonl.gz", gz(&in_lines(texts))),
        2 => (
            "c.jsonl.zst",
            zstd::encode_all(&in_lines(texts)[..], 1).unwrap(),
        ),
        3 => ("d.parquet", parquet(texts, 10 + dice.below(300))),
        4 => ("e.arrow", arrow(texts, true)),
        5 => ("f.arrow", arrow(texts, false)),
        6 => ("g.tar", in_tar(texts)),
        7 => ("h.tgz", gz(&in_tar(texts))),
        _ => ("i.txt", texts.join("\n\n").into_bytes()),
    }
}

/// What the job says of files.
fn said_of(
    folder: &Path,
    paths: &[PathBuf],
    options: &Options,
    job: &Scan<'_>,
    threads: usize,
) -> String {
    let (marks, said) = (folder.join("marks"), folder.join("said"));
    let stop = AtomicBool::new(false);
    let control = Control {
        threads,
        read: &|_| {},
        stop: &stop,
    };
    let manifest = Manifest::open(&marks, &said).unwrap();
    let plan = Plan::of(paths).unwrap();
    let totals = run((&plan, options), job, (manifest, &marks, "q"), &control).unwrap();
    assert_eq!(totals.bad, 0, "{:?}", totals.faults);
    fs::read_to_string(said).unwrap()
}

/// 100,000 splices: every run of K + M - 1 words is reported, and of every document exactly what the
/// naive twin says of it.
#[test]
fn the_scanner_over_files_is_the_naive_matcher_over_texts() {
    let key = AuditKey::new([7; 16]);
    let mut dice = Dice(23);
    let outputs: Vec<Vec<String>> = (0..20).map(|_| dice.words('z', 120)).collect();
    let texts: Vec<String> = outputs.iter().map(|o| o.join(" ")).collect();
    let (registry, naive) = (registry(&key, &texts), Naive::of(&texts));
    let judge = Calibrated::shipped().unwrap().judge;
    let (mut splices, mut promised, mut silent) = (0, 0, 0);
    for round in 0..ROUNDS {
        let guarantee = [Guarantee::Words23, Guarantee::Words39][round % 2];
        // A text file is a document, or each of its paragraphs.
        let paragraphs = round % 4 < 2;
        let folder = tempfile::tempdir().unwrap();
        let (mut paths, mut expected) = (Vec::new(), Vec::new());
        for form in 0..9 {
            let whole_file = form == 8 && !paragraphs;
            let count = if whole_file { 1 } else { DOCUMENTS_A_FILE };
            let mut texts = Vec::new();
            for row in 1..=count {
                let (text, output, run) = spliced(&mut dice, &outputs, guarantee.words() + 4);
                let told = naive.told(&text, guarantee.step());
                if run >= guarantee.words() {
                    promised += 1;
                    let found = told.contains(&format!("{{{output}: "))
                        || told.contains(&format!(" {output}: "));
                    assert!(found, "{told} of {text}");
                }
                silent += usize::from(told.ends_with("{}"));
                writeln!(expected, "{form}:{row} {told}").unwrap();
                texts.push(text);
            }
            splices += count;
            let (name, bytes) = packed(form, &texts, &mut dice);
            paths.push(write(folder.path().join(name), &bytes));
        }
        let options = Options {
            paragraphs,
            batch_bytes: dice.of(&[1, 61, 777, 5_003, 60_000, 1 << 20]),
            read_bytes: dice.of(&[1, 2, 13, 509, 4_099, 1 << 18]),
            rows: dice.of(&[1, 3, 7, 64, 256]),
            ..Options::new(Columns::text(Text::Usual))
        };
        let job = Scan {
            scanner: Scanner::new(&registry, &key, Depth::Copies(guarantee), judge.clone()),
            registry: &registry,
        };
        let threads = 1 + dice.below(4);
        let said = said_of(folder.path(), &paths, &options, &job, threads);
        let expected = String::from_utf8(expected).unwrap();
        let differ = said.lines().zip(expected.lines()).find(|(a, b)| a != b);
        assert_eq!(
            (differ, said.len()),
            (None, expected.len()),
            "{options:?} {guarantee:?}"
        );
    }
    assert!(
        splices >= 100_000 && promised > 5_000 && silent > 5_000,
        "{splices} {promised} {silent}"
    );
}
