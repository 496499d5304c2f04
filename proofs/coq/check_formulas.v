(******************************************************************************)
(* Scripts of polynomials, as SMT solvers read them: terms and formulas with  *)
(* their meaning in any ordered field. Functions and definitions are put in   *)
(* where they are used. The values that a script is given make it true or     *)
(* not, and a checker decides that.                                           *)
(*                                                                            *)
(*   term == a number, a name, a sum, product or opposite, one of two, or a   *)
(*           value of a function that nothing defines                         *)
(*   formula == what compares terms, a name of a truth value, and what is     *)
(*           built of these; (and f g h) is And f (And g (And h Yes)), and    *)
(*           (or f g h) is Or f (Or g (Or h No))                              *)
(*   value x p t == the value of t where names and functions are what x and p *)
(*           say; a name is a function of nothing                             *)
(*   holds x p f == whether f is true there                                   *)
(*   lvalue x p t, lholds x p f == the same in rational numbers, where all    *)
(*           functions are constant                                           *)
(*   check_satisfied x p fs == all of fs are true at these rational numbers   *)
(******************************************************************************)
From Coq Require Import QArith.
From mathcomp Require Import all_ssreflect all_algebra ssrZ.
From absence Require Import net compute check_nets check_losses check_points.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.

Inductive relation := AtMost | Below | AtLeast | Above | Equal | Distinct.

Inductive term :=
  | Number of Q
  | Name of N
  | Add of term & term
  | Mul of term & term
  | Opp of term
  | Either of formula & term & term
  | Call of N & terms
with terms :=
  | NoMore
  | More of term & terms
with formula :=
  | Yes
  | No
  | Holds of N
  | Not of formula
  | And of formula & formula
  | Or of formula & formula
  | Choose of formula & formula & formula
  | Compare of relation & term & term.

Scheme term_mutual := Induction for term Sort Prop
  with terms_mutual := Induction for terms Sort Prop
  with formula_mutual := Induction for formula Sort Prop.
Combined Scheme terms_formulas from term_mutual, terms_mutual, formula_mutual.

Definition lrelated r (a b : Q) : bool :=
  let d := oadd Qops b (oopp Qops a) in
  match r with
  | AtMost => ~~ lneg d
  | Below => lpos d
  | AtLeast => ~~ lpos d
  | Above => lneg d
  | Equal => Qeq_bool a b
  | Distinct => ~~ Qeq_bool a b
  end.

Fixpoint lvalue (x : N -> Q) (p : N -> bool) t : Q :=
  match t with
  | Number q => q
  | Name i => x i
  | Add a b => oadd Qops (lvalue x p a) (lvalue x p b)
  | Mul a b => omul Qops (lvalue x p a) (lvalue x p b)
  | Opp a => oopp Qops (lvalue x p a)
  | Either f a b => if lholds x p f then lvalue x p a else lvalue x p b
  | Call i _ => x i
  end
with lholds x p f : bool :=
  match f with
  | Yes => true
  | No => false
  | Holds i => p i
  | Not f => ~~ lholds x p f
  | And f g => lholds x p f && lholds x p g
  | Or f g => lholds x p f || lholds x p g
  | Choose f g h => if lholds x p f then lholds x p g else lholds x p h
  | Compare r a b => lrelated r (lvalue x p a) (lvalue x p b)
  end.

Definition check_satisfied x p fs := all (lholds x p) fs.

Local Open Scope ring_scope.

Definition related (R : realFieldType) r (a b : R) : bool :=
  match r with
  | AtMost => a <= b
  | Below => a < b
  | AtLeast => b <= a
  | Above => b < a
  | Equal => a == b
  | Distinct => a != b
  end.

Fixpoint value (R : realFieldType) (x : N -> seq R -> R) (p : N -> bool) t :
    R :=
  match t with
  | Number q => ratio R q
  | Name i => x i [::]
  | Add a b => value x p a + value x p b
  | Mul a b => value x p a * value x p b
  | Opp a => - value x p a
  | Either f a b => if holds x p f then value x p a else value x p b
  | Call i ts => x i (value_list x p ts)
  end
with value_list (R : realFieldType) (x : N -> seq R -> R) p ts : seq R :=
  match ts with
  | NoMore => [::]
  | More t ts => value x p t :: value_list x p ts
  end
with holds (R : realFieldType) (x : N -> seq R -> R) p f : bool :=
  match f with
  | Yes => true
  | No => false
  | Holds i => p i
  | Not f => ~~ holds x p f
  | And f g => holds x p f && holds x p g
  | Or f g => holds x p f || holds x p g
  | Choose f g h => if holds x p f then holds x p g else holds x p h
  | Compare r a b => related r (value x p a) (value x p b)
  end.

Section Correct.

Variable R : realFieldType.
Local Notation ratio := (ratio R).

Lemma lrelatedP r a b : lrelated r a b = related r (ratio a) (ratio b).
Proof.
rewrite /lrelated /related -[lneg _]negbK -(ratio_ge0 R) -(ratio_gt0 R).
rewrite -(ratioP R) [ratio (oadd _ _ _)]ratioD ratioN.
by case: r; rewrite // ?negbK -?ltNge -?leNgt ?subr_gt0 ?subr_ge0 ?subr_le0
  ?subr_lt0.
Qed.

Lemma lvalue_correct (x : N -> Q) p :
  (forall t, ratio (lvalue x p t) = value (fun i _ => ratio (x i)) p t)
  /\ (forall ts : terms, True)
  /\ (forall f, lholds x p f = holds (fun i _ => ratio (x i)) p f).
Proof.
apply: terms_formulas => //=.
- by move=> a <- b <-; rewrite ratioD.
- by move=> a <- b <-; rewrite ratioM.
- by move=> a <-; rewrite ratioN.
- by move=> f <- a <- b <-; case: ifP.
- by move=> f ->.
- by move=> f -> g ->.
- by move=> f -> g ->.
- by move=> f -> g -> h ->.
by move=> r a <- b <-; rewrite lrelatedP.
Qed.

Theorem C2_check_satisfied x p fs : check_satisfied x p fs ->
  all (holds (fun i _ => ratio (x i)) p) fs.
Proof.
by apply: sub_all => f; have [_ [_ ->]] := lvalue_correct x p.
Qed.

End Correct.
