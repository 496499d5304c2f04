(******************************************************************************)
(* A checker of refutations: trees of cases, in each of which a sum of        *)
(* products is 0 and would be above 0. Where the polynomials are linear and   *)
(* not multiplied, that is Farkas' lemma; else a certificate of the           *)
(* Positivstellensatz. What is accepted has no solution in an ordered field.  *)
(*                                                                            *)
(*   product == a number times facts, powers of variables, and a square       *)
(*   refutation == a sum of products; or a refutation for each member of a    *)
(*           list of which one holds, for a condition and its opposite, or    *)
(*           for each sign that a term may have, for any formula and its      *)
(*           opposite, or for what makes two values of a function equal       *)
(*   check_product b r, is_positive b r == r is at least 0, is above 0, where *)
(*           the branch b holds                                               *)
(*   contradicts b rs == the sum of rs is 0 and would be above 0              *)
(*   check_refuted n fs t == t refutes the formulas fs; n bounds the steps in *)
(*           which a branch is read                                           *)
(******************************************************************************)
From Coq Require Import QArith.
From mathcomp Require Import all_ssreflect all_algebra ssrZ.
From absence Require Import net compute check_nets check_losses check_points.
From absence Require Import check_formulas check_polynomials check_facts.
From absence Require Import check_branches.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.

(* A variable as a tree names it: a name, or a term that nothing decides.     *)
Inductive variable := Named of N | Part of nat.

Record product := Product {
  multiplier : Q; of_facts : seq nat; powers : seq variable;
  square : option (seq (seq variable * Q))
}.

Inductive refutation :=
  | Contradiction of seq product
  | Members of nat & seq refutation
  | Condition of nat & refutation & refutation
  | Signs of term & refutation & refutation & refutation
  | Whether of formula & refutation & refutation
  | Values of term & term & seq refutation.

Definition term_of b v :=
  match v with Named i => Name i | Part k => nth (Number Q0) (parts b) k end.

Definition monomial_of b vs : monomial :=
  foldr (fun v => mmul [:: term_of b v]) [::] vs.

Definition poly_of b (ms : seq (seq variable * Q)) : poly :=
  foldr (fun m => padd (pterm m.2 (monomial_of b m.1))) [::] ms.

Definition factors b r : seq fact :=
  [seq nth (IsZero, [::]) (facts b) i | i <- of_facts r].

Definition expanded b r : poly :=
  let p := foldr (fun f => pmul f.2)
    (pterm (multiplier r) (monomial_of b (powers r))) (factors b r) in
  if square r is Some ms then let q := poly_of b ms in pmul (pmul p q) q else p.

Fixpoint even_powers (m : monomial) : bool :=
  match m with
  | [::] => true
  | [:: _] => false
  | t :: u :: m' => same_term t u && even_powers m'
  end.

Definition is_sign s (f : fact) := same_sign f.1 s.

(* A product that is not negative; and one that is above 0.                   *)
Definition check_product b r :=
  [&& all (fun i => i < size (facts b))%N (of_facts r)
    & has (is_sign IsZero) (factors b r)
      || lpos (multiplier r) && even_powers (monomial_of b (powers r))].

Definition is_positive b r :=
  [&& lpos (multiplier r), nilp (powers r),
      (if square r is None then true else false)
    & all (is_sign Positive) (factors b r)].

Definition contradicts b rs :=
  [&& all (check_product b) rs, has (is_positive b) rs
    & nilp (foldr (fun r => padd (expanded b r)) [::] rs)].

Definition signs t :=
  (Compare Above t (Number Q0), Compare Below t (Number Q0),
   Compare Equal t (Number Q0)).

Fixpoint apart_by ts us : seq formula :=
  match ts, us with
  | More t ts, More u us => Compare Distinct t u :: apart_by ts us
  | _, _ => [::]
  end.

Fixpoint arguments ts : nat := if ts is More _ ts then (arguments ts).+1 else 0.

(* Two values of a function are equal, or some of its arguments differ.       *)
Definition congruence t u : seq formula :=
  match t, u with
  | Call i ts, Call j us =>
    if N.eqb i j && (arguments ts == arguments us)
    then rcons (apart_by ts us) (Compare Equal t u) else [:: Yes]
  | _, _ => [:: Yes]
  end.

Definition for_each (check : formula -> refutation -> bool) :=
  fix each fs ts {struct ts} :=
    match fs, ts with
    | f :: fs', t :: ts' => check f t && each fs' ts'
    | [::], [::] => true
    | _, _ => false
    end.

Fixpoint check_cases n (fs : seq formula) (t : refutation) : bool :=
  let b := settled n fs in
  closed b ||
  match t with
  | Contradiction rs => contradicts b rs
  | Members k ts =>
    (k < size (choices b))%N
    && for_each (fun f => check_cases n (rcons fs f))
         (nth [::] (choices b) k) ts
  | Condition k t t' =>
    (k < size (conditions b))%N &&
    let f := (nth (Yes, Yes) (conditions b) k).2 in
    check_cases n (rcons fs f) t && check_cases n (rcons fs (Not f)) t'
  | Signs u t t' t'' =>
    let: (above, below, zero) := signs u in
    [&& check_cases n (rcons fs above) t, check_cases n (rcons fs below) t'
      & check_cases n (rcons fs zero) t'']
  | Whether f t t' =>
    check_cases n (rcons fs f) t && check_cases n (rcons fs (Not f)) t'
  | Values u v ts =>
    for_each (fun f => check_cases n (rcons fs f)) (congruence u v) ts
  end.

Definition check_refuted n fs t := check_cases n fs t.

Local Open Scope ring_scope.

Section Correct.

Variables (R : realFieldType) (x : N -> seq R -> R) (p : N -> bool).
Local Notation ratio := (ratio R).
Local Notation pvalue := (pvalue x p).
Local Notation mvalue := (mvalue x p).
Local Notation holds := (holds x p).
Local Notation fact_holds := (fact_holds x p).
Local Notation sound := (sound x p).

Lemma same_termP t u : same_term t u -> t = u.
Proof.
by rewrite /same_term; case tu: (order_terms t u) => // _; apply: order_eq.1.
Qed.

Lemma even_powersP m : even_powers m -> 0 <= mvalue m.
Proof.
have [n] := ubnP (size m); elim: n m => // n IH [|t [|u m]] //=.
  by rewrite ler01.
move=> /ltnW m_n /andP[/same_termP-> /(IH m m_n) m_ge0].
by rewrite mulrA mulr_ge0 // -expr2 sqr_ge0.
Qed.

Definition fvalue (fs : seq fact) : R := foldr (fun f => *%R (pvalue f.2)) 1 fs.

Lemma expandedP b r : pvalue (expanded b r)
  = ratio (multiplier r) * mvalue (monomial_of b (powers r))
    * fvalue (factors b r)
    * (if square r is Some ms then pvalue (poly_of b ms) ^+ 2 else 1).
Proof.
have linear fs : pvalue (foldr (fun f => pmul f.2)
      (pterm (multiplier r) (monomial_of b (powers r))) fs)
    = ratio (multiplier r) * mvalue (monomial_of b (powers r)) * fvalue fs.
  elim: fs => [|f fs IH] /=; last by rewrite pvalueM IH mulrCA.
  by rewrite pvalue_term mulr1.
rewrite /expanded; case: (square r) => [ms|]; last by rewrite mulr1 linear.
by rewrite !pvalueM linear expr2 mulrA.
Qed.

Lemma factorsP b r : sound b ->
    all (fun i => i < size (facts b))%N (of_facts r) ->
  all fact_holds (factors b r).
Proof.
case/and4P=> _ _ fs_hold _; rewrite /factors.
elim: (of_facts r) => //= i places IH /andP[i_lt /IH->]; rewrite andbT.
exact: (all_nthP (IsZero, [::]) fs_hold).
Qed.

Lemma fvalue_ge0 fs : all fact_holds fs -> 0 <= fvalue fs.
Proof.
elim: fs => [|[s q] fs IH] /=; first by rewrite ler01.
case/andP=> f_holds /IH fs_ge0; apply: mulr_ge0 => //.
by case: s f_holds => [/eqP/= ->|//|/ltW].
Qed.

Lemma fvalue_eq0 fs :
  all fact_holds fs -> has (is_sign IsZero) fs -> fvalue fs = 0.
Proof.
elim: fs => [//|[s q] fs IH] /= /andP[f_holds /IH{}IH] /orP[|/IH->].
  by case: s f_holds => // /eqP /= ->; rewrite mul0r.
by rewrite mulr0.
Qed.

Lemma fvalue_gt0 fs :
  all fact_holds fs -> all (is_sign Positive) fs -> 0 < fvalue fs.
Proof.
elim: fs => [|[s q] fs IH] /=; first by rewrite ltr01.
case/andP=> f_holds /IH{}IH /andP[s_pos /IH]; apply: mulr_gt0.
by case: s s_pos f_holds.
Qed.

Lemma productP b r : sound b -> check_product b r -> 0 <= pvalue (expanded b r).
Proof.
move=> b_sound /andP[/(factorsP b_sound) fs_hold ok]; rewrite expandedP.
have square_ge0 :
    0 <= if square r is Some ms then pvalue (poly_of b ms) ^+ 2 else 1.
  by case: (square r) => [ms|]; rewrite ?sqr_ge0 ?ler01.
case/orP: ok => [zero|/andP[c_gt0 even]].
  by rewrite (fvalue_eq0 fs_hold zero) mulr0 mul0r.
have c_ge0 : 0 <= ratio (multiplier r) by rewrite ltW // ratio_gt0.
apply: mulr_ge0 => //; apply: mulr_ge0; last exact: fvalue_ge0.
exact/mulr_ge0/even_powersP.
Qed.

Lemma is_positiveP b r :
  sound b -> check_product b r -> is_positive b r -> 0 < pvalue (expanded b r).
Proof.
move=> b_sound /andP[/(factorsP b_sound) fs_hold _].
case/and4P=> c_gt0 /nilP no_powers no_square above.
rewrite expandedP no_powers /=.
case: (square r) no_square => // _; rewrite !mulr1.
by rewrite mulr_gt0 ?fvalue_gt0 ?ratio_gt0.
Qed.

Lemma contradictsP b rs : sound b -> ~~ contradicts b rs.
Proof.
move=> b_sound; apply/negP=> /and3P[ok positive /nilP zero].
suff : 0 < pvalue (foldr (fun r => padd (expanded b r)) [::] rs).
  by rewrite zero ltxx.
have sum_ge0 qs : all (check_product b) qs ->
    0 <= pvalue (foldr (fun r => padd (expanded b r)) [::] qs).
  elim: qs => //= r qs IH /andP[/(productP b_sound) r_ge0 /IH qs_ge0].
  by rewrite pvalueD addr_ge0.
elim: rs ok positive {zero} => //= r rs IH /andP[r_ok rs_ok]; rewrite pvalueD.
case/orP=> [r_pos|/(IH rs_ok) rs_gt0].
  by rewrite ltr_wpDr ?sum_ge0 // is_positiveP.
by rewrite ltr_wpDl ?productP.
Qed.

Lemma apart_byP ts us : arguments ts = arguments us ->
  value_list x p ts != value_list x p us -> has holds (apart_by ts us).
Proof.
elim: ts us => [|t ts IH] [|u us] //= [/IH{}IH]; rewrite eqseq_cons negb_and.
by case/orP=> [->//|/IH->]; rewrite orbT.
Qed.

Lemma congruenceP t u : has holds (congruence t u).
Proof.
case: t u => [a|i|a c|a c|a|f a c|i ts] [b|j|b d|b d|b|g b d|j us] //=.
case: N.eqb_spec => //= -> ; case: eqP => //= same; rewrite has_rcons /=.
have [->|/(apart_byP same)->] := eqVneq (value_list x p ts) (value_list x p us).
  by rewrite eqxx.
by rewrite orbT.
Qed.

Lemma check_casesP n t : forall fs, check_cases n fs t -> ~~ all holds fs.
Proof.
move: t; fix IH 1 => t fs ok; apply/negP=> fs_hold.
have more f t' : check_cases n (rcons fs f) t' -> ~~ holds f.
  by move/IH; rewrite all_rcons fs_hold andbT.
have some gs ts : for_each (fun f => check_cases n (rcons fs f)) gs ts ->
    ~~ has holds gs.
  by elim: ts gs => [|t' ts IHts] [|f gs] //= /andP[/more/negbTE-> /IHts].
case: t ok => [rs|k ts|k t1 t2|u t1 t2 t3|f t1 t2|u v ts] /=;
  have /and4P[_ open _ cs_hold] := settledP n fs_hold;
  rewrite (negbTE open) /=.
- by apply/negP/contradictsP/settledP.
- by case/andP=> k_lt /some; rewrite (all_nthP [::] cs_hold).
- by case/and3P=> _ /more/negP + /more /=; rewrite negbK.
- have signE r : holds (Compare r u (Number Q0)) = related r (value x p u) 0.
    by rewrite -[0](ratio0 R).
  case/and3P=> /more + /more + /more; rewrite !signE /=.
  by case: ltgtP.
- by case/andP=> /more/negP + /more /=; rewrite negbK.
by move/some; rewrite congruenceP.
Qed.

End Correct.

Theorem C2_check_refuted (R : realFieldType) n fs t : check_refuted n fs t ->
  forall (x : N -> seq R -> R) (p : N -> bool), ~~ all (holds x p) fs.
Proof. by move=> ok x p; apply: check_casesP ok. Qed.
