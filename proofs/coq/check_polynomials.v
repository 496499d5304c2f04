(******************************************************************************)
(* Polynomials in normal form: a sorted list of monomials with coefficients   *)
(* that are not 0. The variables are terms: names, and parts of a script that *)
(* nothing decides. The sorting is for speed and for finding equal ones; that *)
(* the values are right does not rest on it.                                  *)
(*                                                                            *)
(*   monomial == a sorted list of terms, each as often as its power           *)
(*   poly == a sorted list of monomials with coefficients                     *)
(*   order_terms, order_formulas, order_monomials == any total orders         *)
(*   padd, pneg, pminus, pscale, pmul == operations of polynomials            *)
(*   pterm a m, pnumber a, pvariable t == those with at most one term         *)
(*   same_poly p q == p and q are the same list                               *)
(*   written p == p as a term                                                 *)
(*   pvalue x b p == the value of p where names have the values x and b       *)
(******************************************************************************)
From Coq Require Import QArith.
From mathcomp Require Import all_ssreflect all_algebra ssrZ.
From absence Require Import net compute check_nets check_losses check_points.
From absence Require Import check_formulas.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.

Definition next (c d : comparison) := if c is Datatypes.Eq then d else c.

Definition rank_relation r : N :=
  match r with
  | AtMost => 0 | Below => 1 | AtLeast => 2 | Above => 3 | Equal => 4
  | Distinct => 5
  end%num.

Definition rank_term t : N :=
  match t with
  | Number _ => 0 | Name _ => 1 | Add _ _ => 2 | Mul _ _ => 3 | Opp _ => 4
  | Either _ _ _ => 5 | Call _ _ => 6
  end%num.

Definition rank_formula f : N :=
  match f with
  | Yes => 0 | No => 1 | Holds _ => 2 | Not _ => 3 | And _ _ => 4
  | Or _ _ => 5 | Choose _ _ _ => 6 | Compare _ _ _ => 7
  end%num.

Fixpoint order_terms t u : comparison :=
  match t, u with
  | Number a, Number b =>
    next (Z.compare (Qnum a) (Qnum b)) (Pos.compare (Qden a) (Qden b))
  | Name i, Name j => N.compare i j
  | Add a b, Add c d => next (order_terms a c) (order_terms b d)
  | Mul a b, Mul c d => next (order_terms a c) (order_terms b d)
  | Opp a, Opp b => order_terms a b
  | Either f a b, Either g c d =>
    next (order_formulas f g) (next (order_terms a c) (order_terms b d))
  | Call i ts, Call j us => next (N.compare i j) (order_several ts us)
  | _, _ => N.compare (rank_term t) (rank_term u)
  end
with order_several ts us : comparison :=
  match ts, us with
  | NoMore, NoMore => Datatypes.Eq
  | NoMore, More _ _ => Datatypes.Lt
  | More _ _, NoMore => Datatypes.Gt
  | More t ts, More u us => next (order_terms t u) (order_several ts us)
  end
with order_formulas f g : comparison :=
  match f, g with
  | Holds i, Holds j => N.compare i j
  | Not a, Not b => order_formulas a b
  | And a b, And c d => next (order_formulas a c) (order_formulas b d)
  | Or a b, Or c d => next (order_formulas a c) (order_formulas b d)
  | Choose a b c, Choose d e h =>
    next (order_formulas a d) (next (order_formulas b e) (order_formulas c h))
  | Compare r a b, Compare s c d =>
    next (N.compare (rank_relation r) (rank_relation s))
      (next (order_terms a c) (order_terms b d))
  | _, _ => N.compare (rank_formula f) (rank_formula g)
  end.

Definition monomial := seq term.
Definition poly := seq (monomial * Q).

Fixpoint order_lists (m k : monomial) : comparison :=
  match m, k with
  | [::], [::] => Datatypes.Eq
  | [::], _ => Datatypes.Lt
  | _, [::] => Datatypes.Gt
  | t :: m', u :: k' => next (order_terms t u) (order_lists m' k')
  end.

(* The degree comes first, so that products with one monomial stay sorted.    *)
Definition order_monomials (m k : monomial) : comparison :=
  next (Nat.compare (size m) (size k)) (order_lists m k).

Fixpoint mmul (m : monomial) : monomial -> monomial :=
  if m is t :: m' then
    fix into k :=
      if k is u :: k' then
        if order_terms t u is Datatypes.Gt then u :: into k' else t :: mmul m' k
      else m
  else id.

Definition is_zero (q : Q) : bool := Qeq_bool q Q0.

Fixpoint padd (p : poly) : poly -> poly :=
  if p is (m, a) :: p' then
    fix into q :=
      if q is (k, b) :: q' then
        match order_monomials m k with
        | Datatypes.Lt => (m, a) :: padd p' q
        | Datatypes.Gt => (k, b) :: into q'
        | Datatypes.Eq =>
          let c := oadd Qops a b in
          if is_zero c then padd p' q' else (k, c) :: padd p' q'
        end
      else p
  else id.

Definition pscale (a : Q) (p : poly) : poly :=
  if is_zero a then [::] else [seq (m.1, omul Qops a m.2) | m <- p].

Definition pshift (m : monomial) (p : poly) : poly :=
  [seq (mmul m k.1, k.2) | k <- p].

Definition pmul (p q : poly) : poly :=
  foldr (fun m => padd (pshift m.1 (pscale m.2 q))) [::] p.

Definition minus1 : Q := Qmake (Zneg 1) 1.

Definition pneg := pscale minus1.
Definition pminus p q := padd p (pneg q).

Definition pterm (a : Q) (m : monomial) : poly := pscale (Qred a) [:: (m, one)].
Definition pnumber (a : Q) : poly := pterm a [::].
Definition pvariable (t : term) : poly := [:: ([:: t], one)].

Fixpoint same_poly (p q : poly) : bool :=
  match p, q with
  | [::], [::] => true
  | (m, a) :: p', (k, b) :: q' =>
    if order_monomials m k is Datatypes.Eq then Qeq_bool a b && same_poly p' q'
    else false
  | _, _ => false
  end.

Definition written (p : poly) : term :=
  foldr (fun m => Add (Mul (Number m.2) (foldr Mul (Number one) m.1)))
    (Number Q0) p.

Lemma next_eq c d : next c d = Datatypes.Eq ->
  c = Datatypes.Eq /\ d = Datatypes.Eq.
Proof. by case: c. Qed.

Lemma rank_relation_inj r s : N.compare (rank_relation r) (rank_relation s)
  = Datatypes.Eq -> r = s.
Proof. by case: r; case: s. Qed.

Lemma order_eq :
  (forall t u, order_terms t u = Datatypes.Eq -> t = u)
  /\ (forall ts us, order_several ts us = Datatypes.Eq -> ts = us)
  /\ (forall f g, order_formulas f g = Datatypes.Eq -> f = g).
Proof.
apply: terms_formulas.
- case=> [a b] [[c d]| | | | | |] //= /next_eq[/Z.compare_eq_iff-> ab].
  by move/Pos.compare_eq_iff: ab => ->.
- by move=> i [|j| | | | |] //= /N.compare_eq_iff->.
- by move=> a IHa b IHb [| |c d| | | |] //= /next_eq[/IHa-> /IHb->].
- by move=> a IHa b IHb [| | |c d| | |] //= /next_eq[/IHa-> /IHb->].
- by move=> a IHa [| | | |b| |] //= /IHa->.
- move=> f IHf a IHa b IHb [| | | | |g c d|] //= /next_eq[/IHf->].
  by move/next_eq=> [/IHa-> /IHb->].
- by move=> i ts IH [| | | | | |j us] //= /next_eq[/N.compare_eq_iff-> /IH->].
- by case.
- by move=> t IHt ts IHts [|u us] //= /next_eq[/IHt-> /IHts->].
- by case.
- by case.
- by move=> i [| |j| | | | |] //= /N.compare_eq_iff->.
- by move=> f IHf [| | |g| | | |] //= /IHf->.
- by move=> f IHf g IHg [| | | |h k| | |] //= /next_eq[/IHf-> /IHg->].
- by move=> f IHf g IHg [| | | | |h k| |] //= /next_eq[/IHf-> /IHg->].
- move=> f IHf g IHg h IHh [| | | | | |f' g' h'|] //= /next_eq[/IHf->].
  by move/next_eq=> [/IHg-> /IHh->].
move=> r a IHa b IHb [| | | | | | |s c d] //= /next_eq[/rank_relation_inj->].
by move/next_eq=> [/IHa-> /IHb->].
Qed.

Lemma order_monomials_eq m k : order_monomials m k = Datatypes.Eq -> m = k.
Proof.
case/next_eq=> _; elim: m k => [|t m IH] [|u k] //= /next_eq[tu /IH->].
by rewrite (order_eq.1 _ _ tu).
Qed.

Local Open Scope ring_scope.

Section Values.

Variables (R : realFieldType) (x : N -> seq R -> R) (b : N -> bool).
Local Notation ratio := (ratio R).
Local Notation value := (value x b).

Definition mvalue (m : monomial) : R := foldr (fun t => *%R (value t)) 1 m.

Definition pvalue (p : poly) : R :=
  foldr (fun m => +%R (ratio m.2 * mvalue m.1)) 0 p.

Lemma is_zeroP a : is_zero a = (ratio a == 0).
Proof. by rewrite -(ratio0 R) ratioP. Qed.

Lemma mvalueM m k : mvalue (mmul m k) = mvalue m * mvalue k.
Proof.
elim: m k => [|t m IH] k /=; first by rewrite mul1r.
elim: k => [|u k IHk] /=; first by rewrite mulr1.
case: (order_terms t u); [by rewrite /= IH mulrA..|].
by rewrite /= IHk [RHS]mulrCA.
Qed.

Lemma pvalueD p q : pvalue (padd p q) = pvalue p + pvalue q.
Proof.
elim: p q => [|[m a] p IH] q /=; first by rewrite add0r.
elim: q => [|[k c] q IHq] /=; first by rewrite addr0.
case mk: (order_monomials m k).
- rewrite (order_monomials_eq mk) addrACA -mulrDl -ratioD.
  case: ifP => [|_]; rewrite ?is_zeroP /= IH // => /eqP->.
  by rewrite mul0r add0r.
- by rewrite /= IH addrA.
by rewrite /= IHq addrCA.
Qed.

Lemma pvalueZ a p : pvalue (pscale a p) = ratio a * pvalue p.
Proof.
rewrite /pscale is_zeroP; case: eqP => [->|_]; first by rewrite mul0r.
elim: p => [|m p IH] /=; first by rewrite mulr0.
by rewrite IH ratioM mulrDr mulrA.
Qed.

Lemma pvalue_shift m p : pvalue (pshift m p) = mvalue m * pvalue p.
Proof.
elim: p => [|k p IH] /=; first by rewrite mulr0.
by rewrite IH mvalueM mulrDr mulrCA.
Qed.

Lemma pvalueM p q : pvalue (pmul p q) = pvalue p * pvalue q.
Proof.
elim: p => [|m p IH] /=; first by rewrite mul0r.
rewrite pvalueD IH pvalue_shift pvalueZ mulrDl; congr (_ + _).
by rewrite mulrA [mvalue _ * _]mulrC.
Qed.

Lemma ratio_minus1 : ratio minus1 = -1.
Proof. by rewrite -[1](ratio_nat R 1) -ratioN. Qed.

Lemma pvalueN p : pvalue (pneg p) = - pvalue p.
Proof. by rewrite pvalueZ ratio_minus1 mulN1r. Qed.

Lemma pvalueB p q : pvalue (pminus p q) = pvalue p - pvalue q.
Proof. by rewrite pvalueD pvalueN. Qed.

Lemma pvalue_term a m : pvalue (pterm a m) = ratio a * mvalue m.
Proof.
rewrite pvalueZ (ratio_eq R (Qred_correct a)) /= addr0.
by rewrite (ratio_nat R 1) mul1r.
Qed.

Lemma pvalue_number a : pvalue (pnumber a) = ratio a.
Proof. by rewrite pvalue_term mulr1. Qed.

Lemma pvalue_variable t : pvalue (pvariable t) = value t.
Proof. by rewrite /= (ratio_nat R 1) mul1r mulr1 addr0. Qed.

Lemma same_polyP p q : same_poly p q -> pvalue p = pvalue q.
Proof.
elim: p q => [|[m a] p IH] [|[k c] q] //=.
case mk: (order_monomials m k) => // /andP[ac /IH->].
by rewrite (order_monomials_eq mk); move: ac; rewrite -(ratioP R) => /eqP->.
Qed.

Lemma value_written p : value (written p) = pvalue p.
Proof.
elim: p => [|[m a] p IH] /=; first by rewrite ratio0.
rewrite IH; congr (_ * _ + _).
by elim: m => [|t m IHm] /=; rewrite ?(ratio_nat R 1) ?IHm.
Qed.

End Values.
