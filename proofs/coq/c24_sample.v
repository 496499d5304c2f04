(******************************************************************************)
(* C24, sample: a finite class F of models, and N independent inputs, or      *)
(* pairs of an input and an answer. The chance is that of samples under the   *)
(* product of one distribution with itself, a finite sum.                     *)
(*                                                                            *)
(*        chance p A == the probability of the samples with A, of N draws     *)
(*                    from p each                                             *)
(*     agrees f g s == the models f and g answer the same on the sample s     *)
(*   wrong f s == the number of wrong answers of f on a sample of pairs       *)
(*     truthful eta == at every input the answer is that of g with            *)
(*                    probability 1 - eta at least                            *)
(*       C24_agrees == the chance that f agrees with g on the sample is       *)
(*                    exactly (1 - P(f defects))^N                            *)
(*       C24_sample == that any model of F agrees with g on the sample and    *)
(*                    defects with probability a: |F| (1 - a)^N at most       *)
(*       C24_mixing == |F| (1 - eps a)^N if P_train >= eps P_dep, and the     *)
(*                    defection is with probability a at deployment           *)
(*         C24_bits == K parameters of b bits, and N of K b + B times the     *)
(*                    1 / (eps a): the chance is at most 2^-B                 *)
(*        C24_noisy == with answers that are wrong at a rate of eta, for any  *)
(*                    theta >= 1: the chance that any model of F has no more  *)
(*                    wrong answers than g and defects with probability a at  *)
(*                    deployment is at most |F| (1 - k eps a)^N, with         *)
(*                    k = (theta - 1) ((1 - eta) / theta - eta)               *)
(******************************************************************************)
From mathcomp Require Import all_ssreflect all_algebra ring.
From absence Require Import net c1_detector.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

Section Chance.

Variables (R : realFieldType) (Z : finType) (p : Z -> R) (N : nat).
Hypothesis dp : distribution p.
Implicit Types (s : {ffun 'I_N -> Z}) (A : pred {ffun 'I_N -> Z}).

Definition chance A : R := \sum_(s | A s) \prod_i p (s i).

Lemma chance_one_ge0 s : 0 <= \prod_i p (s i).
Proof. by apply: prodr_ge0 => i _; case: dp. Qed.

Lemma chance_sub (A B : pred {ffun 'I_N -> Z}) :
  (forall s, A s -> B s) -> chance A <= chance B.
Proof.
move=> sAB; rewrite /chance [leLHS]big_mkcond [leRHS]big_mkcond /=.
apply: ler_sum => s _; case: ifP => [/sAB -> //|_].
by case: ifP => // _; apply: chance_one_ge0.
Qed.

(* The mean of a product of independent factors.                              *)
Lemma chance_prod (h : Z -> R) :
  \sum_(s : {ffun 'I_N -> Z}) \prod_i (p (s i) * h (s i))
  = (\sum_x p x * h x) ^+ N.
Proof.
rewrite -[in RHS](card_ord N) -prodr_const bigA_distr_bigA.
by apply: eq_bigr => s _.
Qed.

(* Markov's inequality for such a product.                                    *)
Lemma chance_markov A (h : Z -> R) : (forall x, 0 <= h x) ->
  (forall s, A s -> 1 <= \prod_i h (s i)) ->
  chance A <= (\sum_x p x * h x) ^+ N.
Proof.
move=> h_ge0 A_ge1; rewrite -chance_prod /chance [leLHS]big_mkcond /=.
apply: ler_sum => s _; rewrite big_split /=; case: ifP => [/A_ge1 ge1|_].
  by rewrite mulrC ler_peMl ?chance_one_ge0.
by rewrite mulr_ge0 ?chance_one_ge0 ?prodr_ge0.
Qed.

(* The union over a finite class.                                             *)
Lemma chance_union (F : finType) (bad : pred F) (E : F -> pred _) (c : R) :
  0 <= c -> (forall f, bad f -> chance (E f) <= c) ->
  chance (fun s => [exists f, E f s && bad f]) <= #|F|%:R * c.
Proof.
move=> c_ge0 each; apply: (@le_trans _ _ (\sum_(f | bad f) chance (E f))).
  have -> : \sum_(f | bad f) chance (E f)
      = \sum_s \sum_(f | bad f) (if E f s then \prod_i p (s i) else 0).
    rewrite exchange_big /=; apply: eq_bigr => f _.
    by rewrite /chance big_mkcond.
  rewrite /chance [leLHS]big_mkcond; apply: ler_sum => s _.
  have ge0 (f : F) : 0 <= (if E f s then \prod_i p (s i) else 0).
    by case: ifP => // _; apply: chance_one_ge0.
  case: ifP => [/existsP[f /andP[Efs bad_f]]|_]; last by apply: sumr_ge0.
  by rewrite (bigD1 f) //= Efs lerDl sumr_ge0.
apply: (@le_trans _ _ (\sum_(f | bad f) c)); first exact: ler_sum.
rewrite sumr_const -[leLHS]mulr_natl ler_wpM2r // ler_nat.
exact: max_card.
Qed.

End Chance.

Section Sample.

Variables (R : realFieldType) (T F : finType) (Y : eqType).
Variables (model : F -> T -> Y) (g : T -> Y) (p : T -> R) (N : nat).
Hypothesis dp : distribution p.
Implicit Types (s : {ffun 'I_N -> T}) (f : F).

Let defection (q : T -> R) f := prob q (defects (model f) g).

Definition agrees f s := [forall i, model f (s i) == g (s i)].

Lemma prob_le1 D : prob p D <= 1.
Proof.
rewrite -subr_ge0 -(prob_setC _ dp); apply: sumr_ge0 => x _.
by case: dp.
Qed.

Theorem C24_agrees f : chance p (agrees f) = (1 - defection p f) ^+ N.
Proof.
pose h x : R := (model f x == g x)%:R.
have -> : 1 - defection p f = \sum_x p x * h x.
  rewrite -(prob_setC _ dp) /prob [LHS]big_mkcond; apply: eq_bigr => x _.
  by rewrite !inE negbK /h; case: eqP => _; rewrite ?mulr1 ?mulr0.
rewrite -chance_prod /chance big_mkcond; apply: eq_bigr => s _.
have [/forallP ok|] := boolP (agrees f s).
  by apply: eq_bigr => i _; rewrite /h ok mulr1.
rewrite negb_forall => /existsP[i /negbTE neq].
by rewrite (bigD1 i) //= /h neq mulr0 mul0r.
Qed.

Theorem C24_sample (a : R) : a <= 1 ->
  chance p (fun s : {ffun 'I_N -> T} =>
    [exists f, agrees f s && (a <= defection p f)])
  <= #|F|%:R * (1 - a) ^+ N.
Proof.
move=> a_le1; apply: chance_union => // [|f a_le].
  by rewrite exprn_ge0 ?subr_ge0.
rewrite C24_agrees lerXn2r ?nnegrE ?subr_ge0 ?prob_le1 //.
by rewrite lerB.
Qed.

Lemma mixed_prob (q : T -> R) (e : R) D :
  (forall x, e * q x <= p x) -> e * prob q D <= prob p D.
Proof. by move=> mixed; rewrite /prob mulr_sumr; apply: ler_sum. Qed.

Theorem C24_mixing (q : T -> R) (e a : R) : 0 <= e -> e * a <= 1 ->
  (forall x, e * q x <= p x) ->
  chance p (fun s : {ffun 'I_N -> T} =>
    [exists f, agrees f s && (a <= defection q f)])
  <= #|F|%:R * (1 - e * a) ^+ N.
Proof.
move=> e_ge0 ea_le1 mixed; apply: le_trans (C24_sample ea_le1).
apply: chance_sub => // s /existsP[f /andP[ok a_le]].
apply/existsP; exists f; rewrite ok /=.
exact: le_trans (ler_wpM2l e_ge0 a_le) (mixed_prob _ mixed).
Qed.

End Sample.

(* (1 - 1/M)^M <= 1/2, without exp.                                           *)
Section Halving.

Variable R : realFieldType.

Lemma bernoulli_ge (t : R) M : 0 <= t -> 1 + M%:R * t <= (1 + t) ^+ M.
Proof.
move=> t_ge0; elim: M => [|M IH]; first by rewrite mul0r addr0 expr0.
rewrite exprS; apply: (@le_trans _ _ ((1 + t) * (1 + M%:R * t))); last first.
  by rewrite ler_wpM2l // addr_ge0 ?ler01.
have -> : (1 + t) * (1 + M%:R * t) = 1 + M.+1%:R * t + M%:R * t ^+ 2.
  by rewrite -[M.+1]addn1 natrD; ring.
by rewrite lerDl mulr_ge0 ?ler0n ?sqr_ge0.
Qed.

Lemma halves (x : R) M : x <= 1 -> 1 <= M%:R * x ->
  (1 - x) ^+ M <= 2%:R^-1.
Proof.
move=> x_le1 Mx; have x_ge0 : 0 <= x.
  rewrite leNgt; apply: contraL Mx => x_lt0; rewrite -ltNge.
  by rewrite (le_lt_trans _ ltr01) // mulr_ge0_le0 ?ler0n // ltW.
have le_prod : (1 - x) ^+ M * (1 + x) ^+ M <= 1.
  rewrite -exprMn; have -> : (1 - x) * (1 + x) = 1 - x ^+ 2 by ring.
  apply: exprn_ile1; last by rewrite gerDl oppr_le0 sqr_ge0.
  by rewrite subr_ge0 exprn_ile1.
have ge2 : 2%:R <= (1 + x) ^+ M.
  apply: le_trans (bernoulli_ge M x_ge0).
  by rewrite -[2%:R]/(1 + 1) lerD2l.
have p_gt0 : 0 < (1 + x) ^+ M by apply: lt_le_trans ge2; rewrite ltr0n.
rewrite -[leRHS]mul1r ler_pdivlMr ?ltr0n //; apply: le_trans le_prod.
by rewrite ler_wpM2l // exprn_ge0 // subr_ge0.
Qed.

Variables (T F : finType) (Y : eqType).
Variables (model : F -> T -> Y) (g : T -> Y) (p q : T -> R) (N : nat).

Theorem C24_bits (K b B M : nat) (e a : R) : distribution p ->
  0 <= e -> e * a <= 1 -> (forall x, e * q x <= p x) ->
  (#|F| <= 2 ^ (K * b))%N -> 1 <= M%:R * (e * a) ->
  (M * (K * b + B) <= N)%N ->
  chance p (fun s : {ffun 'I_N -> T} =>
    [exists f, agrees model g f s && (a <= prob q (defects (model f) g))])
  <= 2%:R^-1 ^+ B.
Proof.
move=> dp e_ge0 ea_le1 mixed few enough le_N.
apply: le_trans (C24_mixing _ _ _ dp e_ge0 ea_le1 mixed) _.
have ea_ge0 : 0 <= 1 - e * a by rewrite subr_ge0.
have ea_le : 1 - e * a <= 1.
  rewrite gerDl oppr_le0 leNgt; apply: contraL enough => lt0; rewrite -ltNge.
  by rewrite (le_lt_trans _ ltr01) // mulr_ge0_le0 ?ler0n // ltW.
have half_ge0 : 0 <= 2%:R^-1 :> R by rewrite invr_ge0 ler0n.
have le_pow : (1 - e * a) ^+ N <= 2%:R^-1 ^+ (K * b + B).
  apply: (@le_trans _ _ ((1 - e * a) ^+ (M * (K * b + B)))).
    by rewrite -(subnK le_N) exprD ler_piMl ?exprn_ge0 ?exprn_ile1.
  by rewrite exprM lerXn2r ?nnegrE ?exprn_ge0 // halves.
apply: (@le_trans _ _ ((2 ^ (K * b))%:R * 2%:R^-1 ^+ (K * b + B))).
  by rewrite ler_pM ?ler0n ?exprn_ge0 // ler_nat.
rewrite natrX exprD mulrA -exprMn divff ?pnatr_eq0 // expr1n mul1r.
exact: lexx.
Qed.

End Halving.

Section Noisy.

Variables (R : realFieldType) (T F Y : finType).
Variables (model : F -> T -> Y) (g : T -> Y) (p : T * Y -> R) (N : nat).
Hypothesis dp : distribution p.
Variables (eta theta : R).

(* The probability of the input, whatever the answer.                         *)
Definition input x := \sum_y p (x, y).

Definition truthful := forall x, (1 - eta) * input x <= p (x, g x).

Definition wrong (h : T -> Y) (s : {ffun 'I_N -> T * Y}) : nat :=
  \sum_i (h (s i).1 != (s i).2).

Hypothesis honest : truthful.
Hypotheses (eta_ge0 : 0 <= eta) (theta_ge1 : 1 <= theta).
Hypothesis theta_le : theta * eta <= 1 - eta.

Let k := (theta - 1) * ((1 - eta) / theta - eta).
Let theta_gt0 : 0 < theta. Proof. exact: lt_le_trans ltr01 theta_ge1. Qed.

Lemma k_ge0 : 0 <= k.
Proof.
by rewrite mulr_ge0 ?subr_ge0 // ler_pdivlMr // mulrC.
Qed.

Lemma k_le1 : k <= 1.
Proof.
have eta_le1 : 0 <= 1 - eta.
  by apply: le_trans theta_le; rewrite mulr_ge0 // ltW.
have -> : k = 1 - (eta + (1 - eta) / theta + (theta - 1) * eta).
  by rewrite /k; field; rewrite gt_eqF.
rewrite gerDl oppr_le0 !addr_ge0 //; last by rewrite mulr_ge0 ?subr_ge0.
by rewrite divr_ge0 // ltW.
Qed.

Section Model.

Variable f : T -> Y.

Definition gains (z : T * Y) : bool := (f z.1 != g z.1) && (z.2 == f z.1).
Definition loses (z : T * Y) : bool := (f z.1 != g z.1) && (z.2 == g z.1).

Definition weight z : R := theta ^+ gains z * theta^-1 ^+ loses z.

Lemma weight_ge0 z : 0 <= weight z.
Proof. by rewrite mulr_ge0 ?exprn_ge0 ?invr_ge0 ?ltW. Qed.

Lemma wrong_weight s : (wrong f s <= wrong g s)%N ->
  1 <= \prod_i weight (s i).
Proof.
have : (wrong f s + \sum_i gains (s i) = wrong g s + \sum_i loses (s i))%N.
  rewrite /wrong -!big_split /=; apply: eq_bigr => i _.
  rewrite /gains /loses; case: (s i) => x y /=; rewrite ![_ == y]eq_sym.
  have [->|fg] := eqVneq (f x) (g x); first by rewrite !addn0.
  have [->|yf] := eqVneq y (f x); first by rewrite (negbTE fg).
  by case: eqP.
move=> E le_wrong; rewrite /weight big_split /= !prodrXr.
have le_n : (\sum_i loses (s i) <= \sum_i gains (s i))%N.
  by rewrite -(leq_add2l (wrong g s)) -E leq_add2r.
rewrite -(subnK le_n) exprD -mulrA -exprMn divff ?gt_eqF // expr1n mulr1.
exact: exprn_ege1.
Qed.

Lemma mean_weight :
  \sum_z p z * weight z <= 1 - k * prob input (defects f g).
Proof.
have p_ge0 z : 0 <= p z by case: dp.
have -> : 1 - k * prob input (defects f g)
    = \sum_x (input x - k * (if f x != g x then input x else 0)).
  rewrite sumrB -mulr_sumr; congr (_ - _ * _).
    by rewrite -(proj2 dp) /input pair_bigA; apply: eq_bigr => -[].
  by rewrite /prob [LHS]big_mkcond; apply: eq_bigr => x _; rewrite inE.
have -> : \sum_z p z * weight z = \sum_x \sum_y p (x, y) * weight (x, y).
  by rewrite pair_bigA; apply: eq_bigr => -[].
apply: ler_sum => x _; rewrite /weight /gains /loses /=.
have [fg|fg] := eqVneq (f x) (g x) => /=.
  by rewrite mulr0 subr0; under eq_bigr do rewrite !expr0 !mulr1.
have at_most : p (x, f x) + p (x, g x) <= input x.
  rewrite /input (bigD1 (f x)) //= lerD2l (bigD1 (g x)) 1?eq_sym //=.
  by rewrite lerDl sumr_ge0.
have -> : \sum_y p (x, y) * (theta ^+ (y == f x) * theta^-1 ^+ (y == g x))
    = input x + (theta - 1) * p (x, f x) + (theta^-1 - 1) * p (x, g x).
  have gf : g x != f x by rewrite eq_sym.
  rewrite /input (bigD1 (f x)) //= (bigD1 (g x)) //= [in RHS](bigD1 (f x)) //=.
  rewrite [in RHS](bigD1 (g x)) //= !eqxx (negbTE fg) (negbTE gf) /=.
  rewrite (eq_bigr (fun y => p (x, y))) => [|y /andP[/negbTE yf /negbTE yg]].
    rewrite !expr0 !expr1 !mulr1 !mul1r.
    move: (p (x, f x)) (p (x, g x)) (\sum_(i | _) _ : R) => u v w.
    by move: (theta^-1) => t; ring.
  by rewrite yf yg !expr0 !mulr1.
have le1 : (theta - 1) * p (x, f x)
    <= (theta - 1) * (input x - p (x, g x)).
  by rewrite ler_wpM2l ?subr_ge0 // lerBrDr.
rewrite -addrA lerD2l; apply: le_trans (lerD le1 (lexx _)) _.
have -> : (theta - 1) * (input x - p (x, g x)) + (theta^-1 - 1) * p (x, g x)
    = (theta - 1) * input x - (theta - theta^-1) * p (x, g x).
  by move: (p _) (input x) => u v; ring.
have le2 : (theta - theta^-1) * ((1 - eta) * input x)
    <= (theta - theta^-1) * p (x, g x).
  rewrite ler_wpM2l ?honest // subr_ge0 (le_trans _ theta_ge1) //.
  by rewrite invf_le1.
apply: le_trans (lerB (lexx _) le2) _.
rewrite le_eqVlt; apply/orP; left; apply/eqP; rewrite /k.
by move: (input x) => u; field; rewrite gt_eqF.
Qed.

End Model.

Theorem C24_noisy (q : T -> R) (e a : R) : 0 <= e -> 0 <= a -> e * a <= 1 ->
  (forall x, e * q x <= input x) ->
  chance p (fun s : {ffun 'I_N -> T * Y} =>
    [exists f, (wrong (model f) s <= wrong g s)%N
            && (a <= prob q (defects (model f) g))])
  <= #|F|%:R * (1 - (theta - 1) * ((1 - eta) / theta - eta) * (e * a)) ^+ N.
Proof.
move=> e_ge0 a_ge0 ea_le1 mixed; rewrite -/k.
have c_ge0 : 0 <= 1 - k * (e * a).
  by rewrite subr_ge0 mulr_ile1 ?k_ge0 ?k_le1 ?mulr_ge0.
apply: (@chance_union _ _ _ _ dp _ (fun f => a <= prob q (defects (model f) g))
  (fun f s => (wrong (model f) s <= wrong g s)%N)) => [|f a_le].
  exact: exprn_ge0.
apply: le_trans (chance_markov dp (weight_ge0 (model f)) _) _.
  by move=> s; apply: wrong_weight.
have mean := mean_weight (model f).
rewrite lerXn2r ?nnegrE //.
  by apply: sumr_ge0 => z _; rewrite mulr_ge0 ?weight_ge0 //; case: dp.
apply: le_trans mean _; rewrite lerB // ler_wpM2l ?k_ge0 //.
exact: le_trans (ler_wpM2l e_ge0 a_le) (mixed_prob _ mixed).
Qed.

End Noisy.
