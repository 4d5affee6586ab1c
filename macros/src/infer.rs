//! Whether the body of an inline kernel fixes the type of its result.
//!
//! Without `-> T` the result type of `kernel!(|x: f32| ..)` is inferred by rustc, from a closure with the user's body. The lanes'
//! body is inferred by itself. The two agree unless the result is made of unsuffixed literals alone: then the closure's type
//! may come from the context, while the lanes' falls back to `i32` or `f64`. Such kernels are asked to write `-> T`.

use std::collections::HashSet;

use syn::visit::Visit;
use syn::{BinOp, Block, Expr, Ident, Lit, Pat, Stmt, Type};

use crate::lanes::{ident, split_tail};
use crate::methods;
use crate::parse::Param;

/// The names whose types are fixed.
struct Fixed {
    names: HashSet<String>,
    returns: bool,
    grew: bool,
}

/// Whether the type of the result follows from parameters, suffixes, casts, comparisons or calls.
pub(crate) fn result_is_fixed(params: &[Param], body: &Block) -> bool {
    let mut fixed = Fixed { names: HashSet::new(), returns: false, grew: true };
    for p in params {
        fixed.add_pattern(&p.pat);
        fixed.add(&p.name);
    }
    // Each round may fix names by names that were fixed before; there are finitely many.
    while fixed.grew {
        fixed.grew = false;
        fixed.visit_block(body);
    }
    fixed.returns || fixed.block(body)
}

impl Fixed {
    fn add(&mut self, name: &Ident) {
        self.grew |= self.names.insert(name.to_string());
    }

    fn add_pattern(&mut self, pat: &Pat) {
        struct Names<'a>(&'a mut Fixed);
        impl<'b> Visit<'b> for Names<'_> {
            fn visit_pat_ident(&mut self, p: &'b syn::PatIdent) {
                self.0.add(&p.ident);
            }
        }
        Names(self).visit_pat(pat);
    }

    fn block(&self, b: &Block) -> bool {
        match split_tail(&b.stmts).1 {
            Some(e) => self.expr(e),
            None => match b.stmts.last() {
                Some(Stmt::Expr(Expr::Return(r), _)) => r.expr.as_deref().is_some_and(|e| self.expr(e)),
                _ => false,
            },
        }
    }

    fn expr(&self, e: &Expr) -> bool {
        match e {
            Expr::Lit(l) => match &l.lit {
                Lit::Int(n) => !n.suffix().is_empty(),
                Lit::Float(n) => !n.suffix().is_empty(),
                _ => true,
            },
            Expr::Path(_) => ident(e).is_none_or(|n| {
                let name = n.to_string();
                name.starts_with(char::is_uppercase) || self.names.contains(&name)
            }),
            Expr::Paren(e) => self.expr(&e.expr),
            Expr::Group(e) => self.expr(&e.expr),
            Expr::Unary(e) => self.expr(&e.expr),
            Expr::Cast(e) => !matches!(*e.ty, Type::Infer(_)),
            Expr::Binary(b) => match b.op {
                BinOp::Eq(_) | BinOp::Ne(_) | BinOp::Lt(_) | BinOp::Le(_) | BinOp::Gt(_) | BinOp::Ge(_) => true,
                BinOp::And(_) | BinOp::Or(_) => true,
                BinOp::Shl(_) | BinOp::Shr(_) => self.expr(&b.left),
                _ => self.expr(&b.left) || self.expr(&b.right),
            },
            Expr::MethodCall(m) => {
                let name = m.method.to_string();
                matches!(name.as_str(), "len" | "is_empty" | "is_nan" | "is_finite" | "is_infinite" | "is_multiple_of")
                    || matches!(name.as_str(), "count_ones" | "leading_zeros" | "trailing_zeros")
                    || self.expr(&m.receiver)
                    || methods::find(&name).is_some() && m.args.iter().any(|e| self.expr(e))
            }
            Expr::Tuple(t) => t.elems.iter().all(|e| self.expr(e)),
            Expr::If(i) => self.block(&i.then_branch) || i.else_branch.as_ref().is_some_and(|(_, e)| self.expr(e)),
            Expr::Block(b) => self.block(&b.block),
            // Calls, fields, elements of slices and structs have types of their own.
            _ => true,
        }
    }
}

impl<'a> Visit<'a> for Fixed {
    fn visit_local(&mut self, l: &'a syn::Local) {
        syn::visit::visit_local(self, l);
        let fixed = match &l.pat {
            Pat::Type(p) => !matches!(*p.ty, Type::Infer(_)),
            _ => false,
        };
        if fixed || l.init.as_ref().is_some_and(|i| self.expr(&i.expr)) {
            self.add_pattern(&l.pat);
        }
    }
    fn visit_expr_assign(&mut self, a: &'a syn::ExprAssign) {
        syn::visit::visit_expr_assign(self, a);
        if let (Some(name), true) = (ident(&a.left), self.expr(&a.right)) {
            self.add(name);
        }
    }
    fn visit_expr_binary(&mut self, b: &'a syn::ExprBinary) {
        syn::visit::visit_expr_binary(self, b);
        // Both sides of arithmetic and comparison have one type, so one side fixes a name on the other.
        if matches!(b.op, BinOp::Shl(_) | BinOp::Shr(_) | BinOp::ShlAssign(_) | BinOp::ShrAssign(_)) {
            return;
        }
        if let (Some(name), true) = (ident(&b.left), self.expr(&b.right)) {
            self.add(name);
        }
        if let (Some(name), true) = (ident(&b.right), self.expr(&b.left)) {
            self.add(name);
        }
    }
    fn visit_expr_for_loop(&mut self, f: &'a syn::ExprForLoop) {
        if let Expr::Range(r) = &*f.expr
            && r.start.iter().chain(&r.end).any(|e| self.expr(e))
        {
            self.add_pattern(&f.pat);
        }
        syn::visit::visit_expr_for_loop(self, f);
    }
    fn visit_expr_return(&mut self, r: &'a syn::ExprReturn) {
        syn::visit::visit_expr_return(self, r);
        self.returns |= r.expr.as_deref().is_some_and(|e| self.expr(e));
    }
}
