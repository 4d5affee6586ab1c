//! What a trace keeps: dead values, variables, bindings and uniforms are dropped, and the rest is numbered anew. So neither the
//! printed code nor its hash sees what is not used.

use super::Inner;
use crate::element::Kind;
use crate::kernel::ir::{Block, Id, Op, Step, Stmt, Trips};

/// Keeps the bindings that live values read, and notes how.
pub(super) fn renumber_bindings(inner: &mut Inner, live: &Live) {
    let mut used = vec![None; inner.bindings.len()];
    let mut kept = Vec::new();
    for i in 0..inner.ops.len() {
        let op = inner.ops[i];
        let (Op::Read { binding, .. } | Op::Clamp { binding, .. }) = op else { continue };
        let new = if live.values[i] {
            *used[binding as usize].get_or_insert_with(|| {
                kept.push(inner.bindings[binding as usize]);
                kept.len() as u32 - 1
            })
        } else {
            0
        };
        if live.values[i] {
            match op {
                Op::Read { guarded: false, .. } => kept[new as usize].direct = true,
                _ => kept[new as usize].random = true,
            }
        }
        inner.ops[i] = match op {
            Op::Read { at, word, guarded, .. } => Op::Read { binding: new, at, word, guarded },
            Op::Clamp { index, .. } => Op::Clamp { binding: new, index },
            other => other,
        };
    }
    inner.bindings = kept;
    for a in &mut inner.affines {
        a.binding = a.binding.and_then(|b| used[b as usize]);
    }
}

/// Keeps the affine maps and the uniform words that live values use.
pub(super) fn renumber_uniforms(inner: &mut Inner, live: &Live) {
    let mut used = vec![false; inner.uniforms.len()];
    let mut slots = vec![None; inner.affines.len()];
    let mut kept = Vec::new();
    let mut mark = |word: u32, wide: bool| used[word as usize..][..1 + wide as usize].fill(true);
    for i in (0..inner.ops.len()).filter(|&i| live.values[i]) {
        match &mut inner.ops[i] {
            Op::Uniform(word) => mark(*word, inner.kinds[i].words() == 2),
            Op::Grid(slot) | Op::GridHigh(slot) => {
                let old = *slot as usize;
                *slot = *slots[old].get_or_insert_with(|| {
                    kept.push(inner.affines[old]);
                    kept.len() as u32 - 1
                });
            }
            _ => {}
        }
    }
    for a in &kept {
        mark(a.word, a.wide);
        if let Step::Word(word) = a.step {
            mark(word, a.wide);
        }
    }
    inner.bindings.iter().filter(|b| b.random).for_each(|b| mark(b.len_word, false));

    let place = |word: u32| rank(&used, word);
    for (op, _) in inner.ops.iter_mut().zip(&live.values).filter(|(_, live)| **live) {
        if let Op::Uniform(word) = op {
            *word = place(*word);
        }
    }
    for a in &mut kept {
        a.word = place(a.word);
        if let Step::Word(word) = &mut a.step {
            *word = place(*word);
        }
    }
    for b in &mut inner.bindings {
        b.len_word = if b.random { place(b.len_word) } else { 0 };
    }
    inner.affines = kept;
    inner.uniforms = inner.uniforms.iter().zip(&used).filter(|(_, used)| **used).map(|(x, _)| *x).collect();
}

/// The new number of what had the number `i`, when only the used are kept.
pub(super) fn rank(used: &[bool], i: u32) -> u32 {
    used[..i as usize].iter().filter(|used| **used).count() as u32
}

/// Keeps the live values and variables: what is dead is forgotten, so that the hash does not see it.
pub(super) fn renumber_values(inner: &mut Inner, live: &Live, body: &mut Block) {
    let ranks = |used: &[bool]| {
        let next = |count: &mut u32, used: &bool| {
            let rank = *count;
            *count += *used as u32;
            Some(rank)
        };
        used.iter().scan(0, next).collect::<Vec<u32>>()
    };
    let (values, vars) = (ranks(&live.values), ranks(&live.vars));
    let mut kept = live.values.iter();
    inner.ops.retain(|_| *kept.next().expect("a flag a value"));
    let mut kept = live.values.iter();
    inner.kinds.retain(|_| *kept.next().expect("a flag a value"));
    let mut kept = live.vars.iter();
    inner.vars.retain(|_| *kept.next().expect("a flag a variable"));
    for op in &mut inner.ops {
        *op = match *op {
            Op::Load(var) => Op::Load(vars[var as usize]),
            op => op.with_operands(|id| values[id as usize]),
        };
    }
    renumber_block(body, &values, &vars);
}

fn renumber_block(block: &mut Block, values: &[u32], vars: &[u32]) {
    let new = |id: &mut Id| *id = values[*id as usize];
    for s in block {
        match s {
            Stmt::Let(id) => new(id),
            Stmt::Store { var, value } => {
                *var = vars[*var as usize];
                new(value);
            }
            Stmt::If { cond, then, other, .. } => {
                new(cond);
                renumber_block(then, values, vars);
                renumber_block(other, values, vars);
            }
            Stmt::Loop { body, trips } => {
                if let Trips::Range { from, to, .. } = trips {
                    new(from);
                    new(to);
                }
                renumber_block(body, values, vars);
            }
            Stmt::Break | Stmt::Continue => {}
        }
    }
}

/// Which values, and stores to which variables, the results depend on.
pub(super) struct Live {
    pub(super) values: Vec<bool>,
    vars: Vec<bool>,
}

impl Live {
    pub(super) fn of(inner: &Inner, results: &[(Kind, Id)], identity: &[(Kind, Id)], body: &Block) -> Live {
        let mut live = Live { values: vec![false; inner.ops.len()], vars: vec![false; inner.vars.len()] };
        for &(_, id) in results.iter().chain(identity) {
            live.mark(inner, id);
        }
        while live.visit(inner, body) {}
        live
    }

    fn mark(&mut self, inner: &Inner, id: Id) -> bool {
        let mut new = false;
        let mut todo = vec![id];
        while let Some(id) = todo.pop() {
            if !std::mem::replace(&mut self.values[id as usize], true) {
                new = true;
                let op = inner.ops[id as usize];
                if let Op::Load(var) = op {
                    self.vars[var as usize] = true;
                }
                todo.extend(op.operands());
            }
        }
        new
    }

    /// Whether the block does something that outlives it: stores to a live variable, or leaves.
    fn acts(&self, block: &Block) -> bool {
        block.iter().any(|s| match s {
            Stmt::Let(_) => false,
            Stmt::Store { var, .. } => self.vars[*var as usize],
            Stmt::If { then, other, .. } => self.acts(then) || self.acts(other),
            Stmt::Loop { body, .. } => self.stores(body),
            Stmt::Break | Stmt::Continue => true,
        })
    }

    fn stores(&self, block: &Block) -> bool {
        block.iter().any(|s| match s {
            Stmt::Store { var, .. } => self.vars[*var as usize],
            Stmt::If { then, other, .. } => self.stores(then) || self.stores(other),
            Stmt::Loop { body, .. } => self.stores(body),
            _ => false,
        })
    }

    /// Marks what the block's live statements use; whether anything was new.
    fn visit(&mut self, inner: &Inner, block: &Block) -> bool {
        let mut new = false;
        for s in block {
            match s {
                Stmt::Store { var, value } if self.vars[*var as usize] => new |= self.mark(inner, *value),
                Stmt::If { cond, then, other, .. } if self.acts(then) || self.acts(other) => {
                    new |= self.mark(inner, *cond) | self.visit(inner, then) | self.visit(inner, other);
                }
                Stmt::Loop { body, trips } if self.stores(body) => {
                    if let Trips::Range { from, to, .. } = trips {
                        new |= self.mark(inner, *from) | self.mark(inner, *to);
                    }
                    new |= self.visit(inner, body);
                }
                _ => {}
            }
        }
        new
    }

    pub(super) fn prune(&self, block: &mut Block) {
        block.retain_mut(|s| match s {
            Stmt::Let(id) => self.values[*id as usize],
            Stmt::Store { var, .. } => self.vars[*var as usize],
            Stmt::If { then, other, .. } => {
                let acts = self.acts(then) || self.acts(other);
                self.prune(then);
                self.prune(other);
                acts
            }
            Stmt::Loop { body, .. } => {
                let stores = self.stores(body);
                self.prune(body);
                stores
            }
            Stmt::Break | Stmt::Continue => true,
        });
    }
}
