//! Reading syn's trees: tails of blocks, names, literals, and the operators' names.

use syn::spanned::Spanned;
use syn::{BinOp, Block, Error, Expr, Ident, Lit, Result, Stmt, UnOp};

/// The statements before a block's value, and the value.
pub(crate) fn split_tail(stmts: &[Stmt]) -> (&[Stmt], Option<&Expr>) {
    match stmts.split_last() {
        // A `while` or `for` gives no value, nor does an assignment: rustc's error would be about `()`.
        Some((Stmt::Expr(e, None), rest)) if !matches!(e, Expr::While(_) | Expr::ForLoop(_) | Expr::Assign(_)) => (rest, Some(e)),
        _ => (stmts, None),
    }
}

/// The value of a block that is nothing else.
pub(super) fn single(b: &Block) -> Option<&Expr> {
    match &b.stmts[..] {
        [Stmt::Expr(e, None)] => Some(e),
        _ => None,
    }
}

pub(super) fn else_single(e: &Expr) -> Option<&Expr> {
    match e {
        Expr::Block(b) if b.label.is_none() => single(&b.block),
        Expr::If(_) => Some(e),
        _ => None,
    }
}

/// The second branch of an `if` as a block: `else if` is a block of one `if`.
pub(super) fn else_block(e: &Expr) -> Block {
    match e {
        Expr::Block(b) => b.block.clone(),
        e => syn::parse_quote_spanned!(e.span()=> { #e }),
    }
}

pub(super) fn strip(e: &Expr) -> &Expr {
    match e {
        Expr::Paren(p) => strip(&p.expr),
        Expr::Group(p) => strip(&p.expr),
        e => e,
    }
}

/// The identifier that an expression is.
pub(crate) fn ident(e: &Expr) -> Option<&Ident> {
    match strip(e) {
        Expr::Path(p) if p.qself.is_none() => p.path.get_ident(),
        _ => None,
    }
}

pub(super) fn root(e: &Expr) -> Option<&Ident> {
    match strip(e) {
        Expr::Field(f) => root(&f.base),
        e => ident(e),
    }
}

pub(super) fn starts_upper(name: &Ident) -> bool {
    name.to_string().starts_with(|c: char| c.is_uppercase())
}

pub(super) fn is_constant(name: &Ident) -> bool {
    starts_upper(name)
}

/// A literal, or a negated one: `-2147483648` is one number.
pub(super) fn literal(e: &Expr) -> Option<&Expr> {
    match e {
        Expr::Lit(_) => Some(e),
        Expr::Unary(u) if matches!(u.op, UnOp::Neg(_)) && matches!(*u.expr, Expr::Lit(_)) => Some(e),
        Expr::Paren(p) => literal(&p.expr),
        Expr::Group(p) => literal(&p.expr),
        _ => None,
    }
}

pub(super) fn check_literal(e: &Expr) -> Result<()> {
    match e {
        Expr::Lit(l) => match &l.lit {
            Lit::Int(_) | Lit::Float(_) | Lit::Bool(_) => Ok(()),
            _ => Err(Error::new_spanned(l, "kernels compute with numbers and `bool`: there is no text")),
        },
        Expr::Unary(u) => check_literal(&u.expr),
        Expr::Paren(p) => check_literal(&p.expr),
        Expr::Group(p) => check_literal(&p.expr),
        _ => Ok(()),
    }
}

pub(super) fn literal_integer(e: &Expr) -> Option<i64> {
    match strip(e) {
        Expr::Lit(l) => match &l.lit {
            Lit::Int(n) => n.base10_parse().ok(),
            _ => None,
        },
        Expr::Unary(u) if matches!(u.op, UnOp::Neg(_)) => literal_integer(&u.expr).map(|n| -n),
        _ => None,
    }
}

pub(super) fn binary(op: &BinOp) -> Option<&'static str> {
    Some(match op {
        BinOp::Add(_) => "add",
        BinOp::Sub(_) => "sub",
        BinOp::Mul(_) => "mul",
        BinOp::Div(_) => "div",
        BinOp::Rem(_) => "rem",
        BinOp::And(_) | BinOp::BitAnd(_) => "and",
        BinOp::Or(_) | BinOp::BitOr(_) => "or",
        BinOp::BitXor(_) => "xor",
        BinOp::Shl(_) => "shl",
        BinOp::Shr(_) => "shr",
        BinOp::Eq(_) => "eq",
        BinOp::Ne(_) => "ne",
        BinOp::Lt(_) => "lt",
        BinOp::Le(_) => "le",
        BinOp::Gt(_) => "gt",
        BinOp::Ge(_) => "ge",
        _ => return None,
    })
}

pub(super) fn compound(op: &BinOp) -> Option<&'static str> {
    Some(match op {
        BinOp::AddAssign(_) => "add",
        BinOp::SubAssign(_) => "sub",
        BinOp::MulAssign(_) => "mul",
        BinOp::DivAssign(_) => "div",
        BinOp::RemAssign(_) => "rem",
        BinOp::BitAndAssign(_) => "and",
        BinOp::BitOrAssign(_) => "or",
        BinOp::BitXorAssign(_) => "xor",
        BinOp::ShlAssign(_) => "shl",
        BinOp::ShrAssign(_) => "shr",
        _ => return None,
    })
}
