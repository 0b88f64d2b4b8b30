//! A second evaluator, from the catalogue's facts instead of the policies:
//! what a clause forbids, less exceptions and authorisations. It must agree
//! with the compiled terms on random questions.

use super::*;

fn naive(
    catalogue: &Catalogue,
    documents: &[DocumentId],
    case: &Case,
) -> (Verdict, BTreeSet<ClauseId>) {
    let purpose = case
        .purpose
        .as_deref()
        .map(|word| Purpose::parse(word).unwrap());
    let mut forbidding = BTreeSet::new();
    let mut allowing = BTreeSet::new();
    for version in catalogue.versions() {
        let until = version.until().map_or(i64::MAX, |(until, _)| until.0 - 1);
        let known = (version.from().0.0..=until).contains(&case.at.0);
        if !documents.contains(version.document()) || !known {
            continue;
        }
        for clause in version.clauses() {
            let excepted = clause.exceptions.iter().any(|exception| {
                purpose.is_some_and(|purpose| exception.purposes.contains(&purpose))
                    && exception
                        .needs
                        .iter()
                        .all(|need| case.declared.contains(need))
            });
            let waived = case.authorisations.iter().any(|given| {
                given.clause == clause.id
                    && given.purpose.is_none_or(|meant| Some(meant) == purpose)
                    && (given.models.is_empty() || given.models.contains(&case.model.to_string()))
                    && given.from.0 <= case.at.0
                    && given.until.is_none_or(|until| case.at.0 < until.0)
            });
            let spoken = purpose.is_some_and(|purpose| clause.forbids.contains(&purpose))
                && clause.only.is_none_or(|only| case.declared.contains(&only));
            let found = case
                .conduct
                .iter()
                .any(|found| clause.conduct.contains(found));
            let abroad = clause.countries
                && !case.uses
                && case.country.is_some_and(|country| {
                    outside::lists()
                        .get(version.document())
                        .is_some_and(|list| !list.contains(&country))
                });
            if (spoken && !excepted || found || abroad) && !waived {
                forbidding.insert(clause.id.clone());
            }
            if purpose.is_some_and(|purpose| clause.allows.contains(&purpose)) {
                allowing.insert(clause.id.clone());
            }
        }
    }
    forbidding.extend(by_the_house(case));
    if forbidding.is_empty() {
        (Verdict::Allow, allowing)
    } else {
        (Verdict::Deny, forbidding)
    }
}

fn by_the_house(case: &Case) -> impl Iterator<Item = ClauseId> {
    let house = [
        (
            matches!(case.standing, Standing::Suspended | Standing::Terminated),
            STANDING_CLAUSE,
        ),
        (case.exceeded.expected_usage, EXPECTED_USAGE_CLAUSE),
        (case.exceeded.request_size, REQUEST_SIZE_CLAUSE),
    ];
    let requests = !case.uses;
    house
        .into_iter()
        .filter(move |(holds, _)| *holds && requests)
        .map(|(_, id)| clause(id))
}

fn moments() -> impl Strategy<Value = Timestamp> {
    let borders = [
        "2023-03-14",
        "2024-01-31",
        "2025-05-20",
        "2026-01-01",
        "2026-05-12",
        "2026-03-11",
        "2026-08-14",
    ];
    prop_oneof![
        (prop::sample::select(borders.to_vec()), -1_i64..=1)
            .prop_map(|(border, ms)| Timestamp(day(border).0 + ms)),
        (0_i64..1200).prop_map(|days| day("2023-10-01").plus(Span::days(days))),
    ]
}

fn authorisations() -> impl Strategy<Value = Vec<Authorisation>> {
    let clauses: Vec<_> = builtin()
        .versions()
        .iter()
        .flat_map(|version| version.clauses().iter().map(|clause| clause.id.clone()))
        .collect();
    let one = (
        prop::sample::select(clauses),
        prop::option::weighted(0.8, prop::sample::select(Purpose::ALL.to_vec())),
        prop::sample::subsequence(vec!["gpt-4".to_owned(), "gpt-5".to_owned()], 0..=2),
        moments(),
        prop::option::of(moments()),
    )
        .prop_map(|(clause, purpose, models, from, until)| Authorisation {
            clause,
            purpose,
            models,
            from,
            until,
        });
    prop::collection::vec(one, 0..6)
}

fn cases() -> impl Strategy<Value = Case> {
    let countries = ["US", "DE", "KP"].map(|text| Country::parse(text).unwrap());
    (
        (
            any::<bool>(),
            prop::option::weighted(0.9, prop::sample::select(Purpose::ALL.to_vec())),
        ),
        (
            prop::sample::subsequence(Declaration::ALL.to_vec(), 0..=2),
            prop::sample::subsequence(Conduct::ALL.to_vec(), 0..=1),
            prop::option::of(prop::sample::select(countries.to_vec())),
            prop::sample::select(vec![
                (false, false),
                (false, false),
                (true, false),
                (false, true),
            ]),
        ),
        authorisations(),
        prop::sample::select(vec![
            Standing::Active,
            Standing::Active,
            Standing::Restricted,
            Standing::Suspended,
            Standing::Terminated,
        ]),
        prop::sample::select(Endpoint::ALL.to_vec()),
        moments(),
    )
        .prop_map(
            |(
                (uses, purpose),
                (declared, conduct, country, (expected_usage, request_size)),
                authorisations,
                standing,
                endpoint,
                at,
            )| Case {
                endpoint,
                uses,
                declared,
                conduct,
                country,
                exceeded: Exceeded {
                    expected_usage,
                    request_size,
                },
                authorisations,
                standing,
                ..Case::new(purpose.map(Purpose::word), at)
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_naive_evaluator_agrees(
        case in cases(),
        documents in prop::sample::subsequence(LIBRARY.catalogue().documents(), 1..=3),
    ) {
        let catalogue = LIBRARY.catalogue();
        let terms = match LIBRARY.bound(&documents) {
            Ok(terms) => terms,
            // An older text and a newer one may never have been in force together.
            Err(LoadError::NeverTogether) => return Ok(()),
            Err(error) => return Err(TestCaseError::fail(error.to_string())),
        };
        let ruling = case.ruled_by(&terms);
        if terms.in_force(case.at).is_none() {
            prop_assert_eq!(ruling.verdict, Verdict::Deny);
            prop_assert_eq!(ruling.errors.len(), 1);
            return Ok(());
        }
        let (verdict, because) = naive(catalogue, &documents, &case);
        prop_assert_eq!(&ruling.errors, &Vec::<String>::new());
        prop_assert_eq!(ruling.verdict, verdict);
        prop_assert_eq!(&ruling.because, &because.into_iter().collect::<Vec<_>>());
    }

    #[test]
    fn equal_keys_have_equal_rulings_and_a_ruling_holds_until_its_end(
        one in cases(),
        other in cases(),
        later in moments(),
    ) {
        thread_local! { static TERMS: Terms = load(&["anthropic/commercial", "openai/services"]).with_countries(outside::lists()); }
        TERMS.with(|terms| {
            let ruling = one.ruled_by(terms);
            let same = Case { at: later, ..one.clone() };
            if one.at <= later && ruling.until.is_none_or(|until| later < until) {
                let held = same.ruled_by(terms);
                prop_assert_eq!(held.errors.len(), ruling.errors.len());
                // An error tells its moment.
                prop_assert_eq!(Ruling { errors: Vec::new(), ..held }, Ruling { errors: Vec::new(), ..ruling });
            }
            let key = terms.key(&one.question());
            for second in [same, Case { purpose: other.purpose.clone(), ..one.clone() }, other] {
                if key.is_some() && key == terms.key(&second.question()) {
                    let (a, b) = (one.ruled_by(terms), second.ruled_by(terms));
                    prop_assert_eq!((a.verdict, a.because), (b.verdict, b.because));
                }
            }
            Ok(())
        })?;
    }
}

#[test]
fn every_purpose_of_every_version_is_decided_as_the_catalogue_says() {
    let catalogue = builtin();
    let mut decided = 0;
    for version in catalogue.versions() {
        let documents = vec![version.document().clone()];
        let terms = Terms::load(&catalogue, &documents).unwrap();
        for purpose in Purpose::ALL {
            for declared in [Vec::new(), Declaration::ALL.to_vec()] {
                let case = Case {
                    declared,
                    ..Case::new(Some(purpose.word()), version.from().0)
                };
                let (verdict, because) = naive(&catalogue, &documents, &case);
                let because: Vec<_> = because.iter().map(ClauseId::as_str).collect();
                check(&terms, &case, verdict, &because);
                decided += 1;
            }
        }
    }
    assert_eq!(decided, catalogue.versions().len() * Purpose::ALL.len() * 2);
}
