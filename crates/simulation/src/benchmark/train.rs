//! The head, fitted: ridge logistic regression in which each weight keeps
//! the sign that its cue may have, drawn towards a prior of equal weights.
//!
//! Sources weigh alike, whatever their size; harvests and honest sources
//! weigh alike together.

use std::collections::BTreeMap;

use detection::{CUES, Cue, Head, Speaks};

use crate::benchmark::accounts::{Unit, harvest_units, honest_units, items, mean_levels};
use crate::benchmark::pool::Pool;
use crate::random::Random;

/// How the head is fitted.
#[derive(Debug, Clone, Copy)]
pub struct Recipe {
    /// Strength of the pull towards the prior.
    pub ridge: f64,
    /// The prior's weight of every cue that speaks.
    pub prior: f64,
    /// Added to every spread, in binary logarithms.
    pub spread_min: f64,
    /// Exchanges of the accounts it is fitted to.
    pub sizes: [usize; 3],
    /// Accounts of each size drawn of each programme.
    pub draws: usize,
}

impl Default for Recipe {
    fn default() -> Self {
        Self {
            ridge: 1.0,
            prior: 0.1,
            spread_min: 0.4,
            sizes: [5, 20, 100],
            draws: 3,
        }
    }
}

struct Example {
    x: [f64; CUES],
    harvest: bool,
    weight: f64,
}

/// Fits a head to the sources that `take` takes (by their places). Harvests of grading are left
/// out: honest evaluation grades too, and text does not tell the two apart.
pub fn fit(pool: &Pool, take: &dyn Fn(usize) -> bool, seed: u64, recipe: Recipe) -> Head {
    let mut random = Random::new(seed ^ 0x7ea1);
    let mut examples = Vec::new();
    let harvests = harvest_units(pool, false);
    let harvests = harvests.into_iter().filter(|u| !grades(pool, u));
    for (harvest, units) in [
        (true, harvests.collect::<Vec<_>>()),
        (false, honest_units(pool, 20)),
    ] {
        let units: Vec<Unit> = units.into_iter().filter(|u| take(u.source)).collect();
        let mut kin: BTreeMap<usize, f64> = BTreeMap::new();
        for unit in &units {
            *kin.entry(unit.source).or_default() += 1.0;
        }
        let sources = f64::max(f64::from(u32::try_from(kin.len()).unwrap_or(1)), 1.0);
        for unit in &units {
            let own = kin.get(&unit.source).copied().unwrap_or(1.0);
            let each = f64::from(u32::try_from(recipe.sizes.len() * recipe.draws).unwrap_or(1));
            for size in recipe.sizes {
                for _ in 0..recipe.draws {
                    let drawn = draw(unit, size, &mut random);
                    examples.push(Example {
                        x: mean_levels(items(pool, unit.source, &drawn)),
                        harvest,
                        weight: 0.5 / (own * sources * each),
                    });
                }
            }
        }
    }
    head(&examples, recipe)
}

/// Sources of grading: most prompts hold a grader's word close to an answer.
fn grades(pool: &Pool, unit: &Unit) -> bool {
    let mean = mean_levels(items(pool, unit.source, &unit.items));
    let of = |cue: Cue| {
        let at = Cue::ALL.iter().position(|c| *c == cue);
        at.and_then(|at| mean.get(at)).copied().unwrap_or(0.0)
    };
    of(Cue::Rubric) + of(Cue::GradesAnswer) > 2.0 && of(Cue::Rubric) > of(Cue::MakesData)
}

fn draw(unit: &Unit, size: usize, random: &mut Random) -> Vec<usize> {
    let mut items = unit.items.clone();
    let size = size.min(items.len());
    for n in 0..size {
        let other = n + random.below(items.len() - n);
        items.swap(n, other);
    }
    items.truncate(size);
    items
}

fn head(examples: &[Example], recipe: Recipe) -> Head {
    let (mut mean, mut spread) = ([0.0; CUES], [0.0; CUES]);
    let (mut all, mut squares) = ([0.0; CUES], [0.0; CUES]);
    let count = f64::from(u32::try_from(examples.len().max(1)).unwrap_or(u32::MAX));
    for example in examples {
        for (n, x) in example.x.iter().enumerate() {
            if let (Some(mean), Some(all), Some(squares)) =
                (mean.get_mut(n), all.get_mut(n), squares.get_mut(n))
            {
                if !example.harvest {
                    *mean += 2.0 * example.weight * x;
                }
                *all += x / count;
                *squares += x * x / count;
            }
        }
    }
    for ((spread, all), squares) in spread.iter_mut().zip(all).zip(squares) {
        *spread = f64::max(squares - all * all, 0.0).sqrt() + recipe.spread_min;
    }
    let rows: Vec<([f64; CUES], f64, f64)> = examples
        .iter()
        .map(|example| {
            let mut z = [0.0; CUES];
            let each = example.x.iter().zip(&mean).zip(&spread);
            for (to, ((x, mean), spread)) in z.iter_mut().zip(each) {
                *to = ((x - mean) / spread).clamp(-3.0, 3.0);
            }
            (z, if example.harvest { 1.0 } else { -1.0 }, example.weight)
        })
        .collect();
    let (weight, bias) = descend(&rows, recipe);
    Head {
        mean,
        spread,
        weight,
        bias,
    }
}

/// Cyclic coordinate descent on the majorised loss, projected on the signs.
fn descend(rows: &[([f64; CUES], f64, f64)], recipe: Recipe) -> ([f64; CUES], f64) {
    let signs = Cue::ALL.map(Cue::speaks);
    let prior = signs.map(|s| match s {
        Speaks::For => recipe.prior,
        Speaks::Against => -recipe.prior,
        Speaks::Neither => 0.0,
    });
    let (mut weight, mut bias) = (prior, 0.0);
    let mut margins: Vec<f64> = rows.iter().map(|(z, ..)| dot(z, &weight)).collect();
    for _ in 0..60 {
        let gradient: f64 = rows
            .iter()
            .zip(&margins)
            .map(|((_, y, w), m)| slope(*y, *w, *m))
            .sum();
        let step = -gradient / 0.25;
        bias += step;
        for margin in &mut margins {
            *margin += step;
        }
        for n in 0..CUES {
            let (Some(sign), Some(prior), Some(w)) =
                (signs.get(n), prior.get(n), weight.get_mut(n))
            else {
                continue;
            };
            let (mut gradient, mut curve) = (recipe.ridge * (*w - prior), recipe.ridge);
            for ((z, y, share), m) in rows.iter().zip(&margins) {
                let z = z.get(n).copied().unwrap_or(0.0);
                gradient += z * slope(*y, *share, *m);
                curve += 0.25 * share * z * z;
            }
            let new = *w - gradient / curve;
            let new = match sign {
                Speaks::For => new.max(0.0),
                Speaks::Against => new.min(0.0),
                Speaks::Neither => 0.0,
            };
            let step = new - *w;
            if step != 0.0 {
                *w = new;
                for ((z, ..), m) in rows.iter().zip(&mut margins) {
                    *m += step * z.get(n).copied().unwrap_or(0.0);
                }
            }
        }
    }
    (weight, bias)
}

fn dot(a: &[f64; CUES], b: &[f64; CUES]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The derivative of one example's loss by its margin.
fn slope(y: f64, weight: f64, margin: f64) -> f64 {
    -y * weight / (1.0 + (y * margin).exp())
}
