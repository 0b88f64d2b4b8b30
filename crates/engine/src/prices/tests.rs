use super::*;

fn model(name: &str) -> ModelName {
    ModelName::parse(name).unwrap()
}

const TABLE: &str = r"
[models.small]
input_micro_usd_per_1k = 150
output_micro_usd_per_1m = 600_000
";

#[test]
fn rates_per_thousand_and_per_million_agree() {
    let prices = Prices::parse(TABLE).unwrap();
    assert_eq!(
        prices.of(&model("small")),
        Some(Price {
            input_per_1m: 150_000,
            output_per_1m: 600_000
        })
    );
    let usage = Usage {
        input_tokens: 1_000_000,
        output_tokens: 500_000,
        estimated: false,
    };
    assert_eq!(prices.cost(&model("small"), usage), MicroUsd(450_000));
}

#[test]
fn cost_never_exceeds_the_upper_estimate() {
    let prices = Prices::parse(TABLE).unwrap();
    for (input, output) in [(0, 1), (1, 0), (999, 1), (1, 999), (500, 500)] {
        let usage = Usage {
            input_tokens: input,
            output_tokens: output,
            estimated: false,
        };
        assert!(
            prices.cost(&model("small"), usage)
                <= prices.upper(&model("small"), input + output).unwrap()
        );
    }
}

#[test]
fn a_fraction_of_a_millionth_is_rounded_up() {
    assert_eq!(
        Price {
            input_per_1m: 1,
            output_per_1m: 0
        }
        .of(1, 0),
        MicroUsd(1)
    );
}

#[test]
fn a_strict_table_refuses_a_served_model_without_price() {
    let prices = Prices::parse(TABLE).unwrap();
    assert_eq!(prices.cover([&model("small")]), Ok(()));
    assert_eq!(
        prices.cover([&model("other")]),
        Err(PriceError::Unpriced(model("other")))
    );
}

#[test]
fn mistakes_in_the_table_are_errors() {
    for bad in [
        "surprise = 1",
        "[models.a]\ninput_micro_usd_per_1k = 1",
        "[models.a]\ninput_micro_usd_per_1k = 1\ninput_micro_usd_per_1m = 1\noutput_micro_usd_per_1k = 1",
        "[models.a]\ninput_micro_usd_per_1k = -1\noutput_micro_usd_per_1k = 1",
    ] {
        assert!(Prices::parse(bad).is_err(), "{bad}");
    }
}
