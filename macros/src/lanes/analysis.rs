//! What the syntax alone shows: which values are equal in all lanes, where lanes leave, and what an expression costs.

use syn::visit::Visit;
use syn::{Block, Expr, Stmt};

use super::syntax::{binary, else_single, ident, is_constant, single, starts_upper};
use super::{Lower, Name};
use crate::methods;

impl Lower {
    /// Whether the syntax shows that the value is equal in all lanes.
    pub(super) fn is_uniform(&self, e: &Expr) -> bool {
        match e {
            Expr::Lit(_) => true,
            Expr::Paren(e) => self.is_uniform(&e.expr),
            Expr::Group(e) => self.is_uniform(&e.expr),
            Expr::Path(p) => match self.find(e) {
                Some(Name::Uniform) => true,
                Some(_) => false,
                None => p.path.segments.len() > 1 || ident(e).is_some_and(is_constant),
            },
            Expr::Unary(e) => self.is_uniform(&e.expr),
            Expr::Binary(e) => binary(&e.op).is_some() && self.is_uniform(&e.left) && self.is_uniform(&e.right),
            Expr::Cast(e) => self.is_uniform(&e.expr),
            Expr::Field(e) => self.is_uniform(&e.base),
            Expr::Tuple(e) => e.elems.iter().all(|e| self.is_uniform(e)),
            Expr::Index(e) => self.slice(&e.expr).is_some() && self.is_uniform(&e.index),
            Expr::MethodCall(e) => {
                self.slice(&e.receiver).is_some()
                    || methods::find(&e.method.to_string()).is_some()
                        && self.is_uniform(&e.receiver)
                        && e.args.iter().all(|e| self.is_uniform(e))
            }
            Expr::Call(e) => self.number_type(&e.func).is_some() && e.args.iter().all(|e| self.is_uniform(e)),
            Expr::If(e) => {
                self.is_uniform(&e.cond)
                    && single(&e.then_branch).is_some_and(|e| self.is_uniform(e))
                    && e.else_branch.as_ref().and_then(|(_, e)| else_single(e)).is_some_and(|e| self.is_uniform(e))
            }
            _ => false,
        }
    }

    /// Whether no lane goes on after the expression.
    pub(super) fn leaves_always(&self, e: &Expr) -> bool {
        match e {
            Expr::Return(_) | Expr::Break(_) | Expr::Continue(_) => true,
            Expr::If(i) => {
                self.block_leaves_always(&i.then_branch) && i.else_branch.as_ref().is_some_and(|(_, e)| self.leaves_always(e))
            }
            Expr::Block(b) => self.block_leaves_always(&b.block),
            Expr::Loop(l) => {
                let mut leaves = Leaves::default();
                l.body.stmts.iter().for_each(|s| leaves.visit_stmt(s));
                !leaves.breaks
            }
            Expr::Paren(p) => self.leaves_always(&p.expr),
            _ => false,
        }
    }

    pub(super) fn block_leaves_always(&self, b: &Block) -> bool {
        matches!(b.stmts.last(), Some(Stmt::Expr(e, _)) if self.leaves_always(e))
    }
}

/// Which statements leave the block that contains them.
#[derive(Default)]
pub(super) struct Leaves {
    depth: usize,
    pub(super) returns: bool,
    breaks: bool,
    pub(super) continues: bool,
}
impl Leaves {
    pub(super) fn any(&self) -> bool {
        self.returns || self.breaks || self.continues
    }
}
impl<'a> Visit<'a> for Leaves {
    fn visit_expr(&mut self, e: &'a Expr) {
        let is_loop = matches!(e, Expr::While(_) | Expr::Loop(_) | Expr::ForLoop(_));
        self.depth += is_loop as usize;
        match e {
            Expr::Return(_) => self.returns = true,
            Expr::Break(_) => self.breaks |= self.depth == 0,
            Expr::Continue(_) => self.continues |= self.depth == 0,
            _ => {}
        }
        syn::visit::visit_expr(self, e);
        self.depth -= is_loop as usize;
    }
}

/// Whether evaluating the expression does more than give a value: it assigns, or leaves a block. Such an expression is evaluated
/// once, in its turn, and by the lanes that come to it only.
pub(super) fn has_effect(e: &Expr) -> bool {
    struct Effects(bool);
    impl<'a> Visit<'a> for Effects {
        fn visit_expr(&mut self, e: &'a Expr) {
            self.0 |= match e {
                Expr::Assign(_) | Expr::Return(_) | Expr::Break(_) | Expr::Continue(_) => true,
                Expr::Binary(b) => binary(&b.op).is_none(),
                _ => false,
            };
            syn::visit::visit_expr(self, e);
        }
    }
    let mut effects = Effects(false);
    effects.visit_expr(e);
    effects.0
}

/// A rough count of the work in an expression, to decide whether a branch is worth a jump.
struct Cost(usize);
/// What a call or a loop counts: more than any expression without one.
pub(super) const KERNEL: usize = 100;
impl<'a> Visit<'a> for Cost {
    fn visit_expr(&mut self, e: &'a Expr) {
        self.0 += match e {
            Expr::Binary(_) | Expr::Unary(_) | Expr::Assign(_) | Expr::Cast(_) => 1,
            Expr::If(_) => 3,
            Expr::Index(_) => 5,
            Expr::MethodCall(m) if methods::find(&m.method.to_string()).is_some_and(|m| m.dear) => 15,
            Expr::MethodCall(_) => 1,
            Expr::Call(c) => match &*c.func {
                Expr::Path(p) if p.path.segments.last().is_some_and(|s| starts_upper(&s.ident)) => 1,
                Expr::Path(p) if p.path.segments.len() == 2 && methods::is_primitive(&p.path.segments[0].ident.to_string()) => 15,
                _ => KERNEL,
            },
            Expr::While(_) | Expr::Loop(_) | Expr::ForLoop(_) => KERNEL,
            _ => 0,
        };
        syn::visit::visit_expr(self, e);
    }
}

/// The cost of an expression.
pub(super) fn cost(e: &Expr) -> usize {
    let mut cost = Cost(0);
    cost.visit_expr(e);
    cost.0
}

/// The cost of a block.
pub(super) fn block_cost(b: &Block) -> usize {
    let mut cost = Cost(0);
    cost.visit_block(b);
    cost.0
}

/// Whether a body contains a loop of its own: those of the kernels that it calls are theirs.
pub(crate) fn has_loop(b: &Block) -> bool {
    struct Loops(bool);
    impl<'a> Visit<'a> for Loops {
        fn visit_expr(&mut self, e: &'a Expr) {
            self.0 |= matches!(e, Expr::While(_) | Expr::Loop(_) | Expr::ForLoop(_));
            syn::visit::visit_expr(self, e);
        }
    }
    let mut loops = Loops(false);
    loops.visit_block(b);
    loops.0
}
