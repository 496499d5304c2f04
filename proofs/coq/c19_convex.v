(******************************************************************************)
(* C19, learned features: two-layer training with weight decay. Unlike the    *)
(* squared loss alone it leaves no train-idle circuit at a minimiser, whether *)
(* the class is underparameterised or not; and it has the value of a convex   *)
(* program over the activation patterns (Pilanci and Ergen 2020).             *)
(*                                                                            *)
(*       size theta j == |w_j|^2 + b_j^2 + |a_j|^2                            *)
(* decayed l beta theta == sum_i l_i (f (z_i)) + beta sum_j size theta j      *)
(* decay_min b l beta theta == theta has the least; its c is 0 unless b       *)
(*     C19_decay_gain == cutting a circuit that sends one value in training   *)
(*                    lowers decayed by beta times the circuit's size         *)
(*          C19_decay == at a minimiser, beta > 0, the units of a circuit     *)
(*                    that sends one value v in training have all parameters  *)
(*                    0 (v = 0 unless b)                                      *)
(*    C19_no_detector == so no circuit is idle in training and fires at x     *)
(* training y beta theta == decayed for half the squared error, and beta / 2  *)
(*           C19_dual == a bound below training, for every width: sum_i <nu_i,*)
(*                    y_i> - |nu_i|^2 / 2, if no unit (w, b) has an inner     *)
(*                    product with nu of length above beta |(w, b)|           *)
(*       C19_patterns == that is so if for every set S of examples that holds *)
(*                    equal inputs together, and either sign, multipliers     *)
(*                    lam >= 0 show it for the units that are on at S         *)
(*         point R d N n == n vectors (vec, off) in R^(d+1), each with a      *)
(*                    pattern pat, a sign neg, and a bound len on its length  *)
(* feasible p, convex_value p == the convex program                           *)
(* C19_convex_of_net == every net is a point of it of the same value          *)
(* C19_net_of_convex == every point of it is a net of at most that value, in  *)
(*                    a field with square roots                               *)
(******************************************************************************)
From mathcomp Require Import all_ssreflect all_algebra ring.
From absence Require Import net c19_analytical.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

Section Decay.

Variables (R : realFieldType) (d m N : nat) (z : 'I_N -> 'rV[R]_d).
Variable l : 'I_N -> 'rV[R]_m -> R.
Variables (n : nat) (b : bool) (beta : R).
Implicit Types (theta : net R d m n) (J : {set 'I_n}).

Definition size k (theta : net R d m k) j : R :=
  normsq (inw theta j) + bias theta j ^+ 2 + normsq (outw theta j).

Definition decayed k (theta : net R d m k) : R :=
  \sum_i l i (eval theta (z i)) + beta * \sum_j size theta j.

Definition decay_min theta := allowed b (shift theta) /\
  forall theta', allowed b (shift theta') -> decayed theta <= decayed theta'.

Lemma size_ge0 k (theta : net R d m k) j : 0 <= size theta j.
Proof. by rewrite !addr_ge0 ?normsq_ge0 ?sqr_ge0. Qed.

Theorem C19_decay_gain theta J v : idle_at z theta J v ->
  exists theta', [/\ off J theta theta', shift theta' = shift theta + v
  & decayed theta' = decayed theta - beta * \sum_(j in J) size theta j].
Proof.
move=> idle.
pose cut := reassign theta J (fun=> 0) (fun=> 0) (fun=> 0) (shift theta + v).
exists cut; split=> //; first exact: off_reassign.
have same i : eval cut (z i) = eval theta (z i).
  rewrite !(eval_circuit _ J).
  rewrite (circuit_out_off _ (@off_reassign _ _ _ _ _ _ _ _ _ _)).
  rewrite [circuit_out cut J _]big1 => [|j jJ]; last by rewrite /= jJ scaler0.
  by rewrite (idle i) addr0.
have n0 k : normsq (0 : 'rV[R]_k) = 0 by apply/eqP; rewrite normsq_eq0.
rewrite /decayed; under eq_bigr => i _ do rewrite same.
rewrite -addrA -mulrBr; congr (_ + _ * _).
rewrite (bigID (mem J)) /= big1 ?add0r => [|j jJ]; last first.
  by rewrite /size /= jJ !n0 expr0n !addr0.
rewrite [X in _ = X - _](bigID (mem J)) /= addrAC subrr add0r.
by apply: eq_bigr => j /negbTE jJ; rewrite /size /= jJ.
Qed.

Theorem C19_decay theta J v : 0 < beta -> decay_min theta ->
  idle_at z theta J v -> b || (v == 0) -> forall j, j \in J ->
  [/\ inw theta j = 0, bias theta j = 0 & outw theta j = 0].
Proof.
move=> beta_gt0 [c_ok theta_min] idle v_ok j jJ.
have [cut [_ shiftE decayedE]] := C19_decay_gain idle.
have cut_ok : allowed b (shift cut).
  move: c_ok v_ok; rewrite /allowed shiftE; case: (b) => //= /eqP-> /eqP->.
  by rewrite addr0.
have := theta_min cut cut_ok.
rewrite decayedE lerDl oppr_ge0 pmulr_rle0 // => le0.
have : size theta j = 0.
  apply/eqP; rewrite eq_le size_ge0 andbT; apply: le_trans le0.
  rewrite (bigD1 j) //= lerDl; apply: sumr_ge0 => k _; exact: size_ge0.
move/eqP; rewrite !paddr_eq0 ?addr_ge0 ?normsq_ge0 ?sqr_ge0 //.
by rewrite !normsq_eq0 sqrf_eq0 => /andP[/andP[/eqP-> /eqP->] /eqP->].
Qed.

Theorem C19_no_detector theta J x : (0 < N)%N -> 0 < beta -> b ->
  decay_min theta -> ~ fires z theta J x.
Proof.
move=> N_gt0 beta_gt0 b_true theta_min [v idle].
have zero u : circuit_out theta J u = 0.
  apply: big1 => j jJ.
  have [|_ _ ->] := C19_decay beta_gt0 theta_min idle _ jJ; last exact: scaler0.
  by rewrite b_true.
by rewrite zero -(idle (Ordinal N_gt0)) zero eqxx.
Qed.

End Decay.

Section Duality.

Variables (R : realFieldType) (d m N : nat) (z : 'I_N -> 'rV[R]_d).
Variables (y : 'I_N -> 'rV[R]_m) (beta : R).

Definition training n (theta : net R d m n) : R :=
  decayed z (fun i v => 2%:R^-1 * normsq (v - y i)) (beta / 2%:R) theta.

Lemma young (a s : 'rV[R]_m) (u : R) : 0 < beta ->
  normsq s <= beta ^+ 2 * u -> dot a s <= beta / 2%:R * (u + normsq a).
Proof.
move=> beta_gt0 s_le; have := normsq_ge0 (beta *: a - s).
rewrite normsqB normsqZ dotZl => sq_ge0.
rewrite -(ler_pM2l beta_gt0) -subr_ge0.
have -> : beta * (beta / 2%:R * (u + normsq a)) - beta * dot a s
  = 2%:R^-1 * ((beta ^+ 2 * normsq a - beta * dot a s *+ 2 + normsq s)
               + (beta ^+ 2 * u - normsq s)) by field.
by rewrite mulr_ge0 ?invr_ge0 ?ler0n // addr_ge0 // subr_ge0.
Qed.

Theorem C19_dual n (theta : net R d m n) b (nu : 'I_N -> 'rV[R]_m) :
  0 < beta -> allowed b (shift theta) -> (b -> \sum_i nu i = 0) ->
  (forall w c, normsq (\sum_i relu (dot w (z i) + c) *: nu i)
               <= beta ^+ 2 * (normsq w + c ^+ 2)) ->
  \sum_i (dot (nu i) (y i) - 2%:R^-1 * normsq (nu i)) <= training theta.
Proof.
move=> beta_gt0 c_ok nu0 nu_le; pose f i := eval theta (z i).
have fit i : dot (nu i) (y i) - 2%:R^-1 * normsq (nu i)
    <= 2%:R^-1 * normsq (f i - y i) + dot (nu i) (f i).
  rewrite -subr_ge0; have := normsq_ge0 (nu i - (y i - f i)).
  rewrite normsqB dotBr [normsq (y i - f i)]normsqBC => sq_ge0.
  have -> : 2%:R^-1 * normsq (f i - y i) + dot (nu i) (f i)
      - (dot (nu i) (y i) - 2%:R^-1 * normsq (nu i))
    = 2%:R^-1 * (normsq (nu i) - (dot (nu i) (y i) - dot (nu i) (f i)) *+ 2
                 + normsq (f i - y i)) by field.
  by rewrite mulr_ge0 ?invr_ge0 ?ler0n.
apply: le_trans (ler_sum _ (fun i _ => fit i)) _.
rewrite big_split /= /training /decayed lerD2l.
have -> : \sum_i dot (nu i) (f i)
    = \sum_j dot (outw theta j) (\sum_i act theta j (z i) *: nu i).
  under eq_bigr => i _ do rewrite dotDr dot_sumr.
  rewrite big_split /= (_ : \sum_i dot (nu i) (shift theta) = 0) ?add0r.
    rewrite exchange_big; apply: eq_bigr => j _ /=; rewrite dot_sumr.
    by apply: eq_bigr => i _; rewrite !dotZr dotC.
  under eq_bigr => i _ do rewrite dotC; rewrite -dot_sumr.
  case: (b) c_ok nu0 => [_ /(_ isT)->|/eqP-> _]; first exact: dot0r.
  exact: dot0l.
rewrite mulr_sumr; apply: ler_sum => j _; apply: young => //.
exact: nu_le.
Qed.

End Duality.

Section Patterns.

Variables (R : realFieldType) (d N : nat) (z : 'I_N -> 'rV[R]_d).
Variables (nu : 'I_N -> R) (beta : R).

Lemma cauchy2 (w r : 'rV[R]_d) (c t : R) :
  (dot w r + c * t) ^+ 2 <= (normsq w + c ^+ 2) * (normsq r + t ^+ 2).
Proof.
have := cauchy (row_mx w c%:M) (row_mx r t%:M).
suff [-> -> ->] : [/\ dot (row_mx w c%:M) (row_mx r t%:M) = dot w r + c * t,
    normsq (row_mx w c%:M) = normsq w + c ^+ 2
  & normsq (row_mx r t%:M) = normsq r + t ^+ 2] by [].
split; rewrite /dot /normsq big_split_ord big_ord1 /=.
all: congr (_ + _); rewrite ?row_mxEr ?mxE ?eqxx ?mulr1n //.
all: by apply: eq_bigr => i _; rewrite !row_mxEl.
Qed.

(* The combination of the inputs whose length bounds what units on at S gain. *)
Definition reduced (S : {set 'I_N}) (s : bool) (lam : 'I_N -> R) i : R :=
  (if i \in S then (-1) ^+ s * nu i else 0)
  + (if i \in S then lam i else - lam i).

Theorem C19_patterns :
  (forall (S : {set 'I_N}) s,
     (forall i j, z i = z j -> (i \in S) = (j \in S)) ->
     exists lam, (forall i, 0 <= lam i) /\
     normsq (\sum_i reduced S s lam i *: z i)
     + (\sum_i reduced S s lam i) ^+ 2 <= beta ^+ 2) ->
  forall w c, (\sum_i relu (dot w (z i) + c) * nu i) ^+ 2
              <= beta ^+ 2 * (normsq w + c ^+ 2).
Proof.
move=> all_patterns w c; pose p i := dot w (z i) + c.
pose S := [set i | 0 <= p i]; set g := \sum_i _.
suff half (s : bool) : exists2 B, (-1) ^+ s * g <= B
    & B ^+ 2 <= beta ^+ 2 * (normsq w + c ^+ 2).
  have [g_ge0|g_lt0] := leP 0 g.
    have [B] := half false; rewrite mul1r => le_B; apply: le_trans.
    by rewrite lerXn2r ?nnegrE // (le_trans g_ge0).
  have [B] := half true; rewrite mulN1r => le_B; apply: le_trans.
  have Ng_ge0 : 0 <= - g by rewrite oppr_ge0 ltW.
  by rewrite -sqrrN lerXn2r ?nnegrE // (le_trans Ng_ge0).
have [i j zij|lam [lam_ge0 len_le]] := all_patterns S s.
  by rewrite !inE /p zij.
exists (\sum_i reduced S s lam i * p i); last first.
  have -> : \sum_i reduced S s lam i * p i
      = dot w (\sum_i reduced S s lam i *: z i)
        + c * \sum_i reduced S s lam i.
    rewrite dot_sumr mulr_sumr -big_split; apply: eq_bigr => i _ /=.
    by rewrite dotZr mulrDr [c * _]mulrC.
  apply: le_trans (cauchy2 _ _ _ _) _; rewrite mulrC ler_wpM2r //.
  by rewrite addr_ge0 ?normsq_ge0 ?sqr_ge0.
rewrite /g mulr_sumr; apply: ler_sum => i _; rewrite /reduced inE -/(p i).
have [p_ge0|p_lt0] := leP 0 (p i).
  rewrite relu_id // [(_ + lam i) * _]mulrDl mulrCA mulrC lerDl mulr_ge0 //.
rewrite (relu_0 (ltW p_lt0)) mul0r mulr0 add0r.
by rewrite mulr_le0 ?oppr_le0 ?(ltW p_lt0).
Qed.

End Patterns.

Section Program.

Record point (R : realFieldType) (d N n : nat) := Point {
  vec : 'I_n -> 'rV[R]_d;
  off : 'I_n -> R;
  pat : 'I_n -> {set 'I_N};
  neg : 'I_n -> bool;
  len : 'I_n -> R
}.

Section Value.

Variables (R : realFieldType) (d N : nat) (z : 'I_N -> 'rV[R]_d).
Variables (y : 'I_N -> 'rV[R]_1) (beta : R).

Definition height n (p : point R d N n) k i := dot (vec p k) (z i) + off p k.

Definition feasible n (p : point R d N n) := forall k,
  [/\ 0 <= len p k, normsq (vec p k) + off p k ^+ 2 <= len p k ^+ 2
    & forall i, if i \in pat p k then 0 <= height p k i else height p k i <= 0].

Definition fitted n (p : point R d N n) i : R :=
  \sum_k (-1) ^+ neg p k * (if i \in pat p k then height p k i else 0).

Definition convex_value n (p : point R d N n) : R :=
  \sum_i 2%:R^-1 * (fitted p i - y i 0 0) ^+ 2 + beta * \sum_k len p k.

Lemma eval1 n (theta : net R d 1 n) x : shift theta = 0 ->
  eval theta x 0 0 = \sum_j act theta j x * outw theta j 0 0.
Proof.
by move=> c0; rewrite /eval c0 add0r summxE; apply: eq_bigr => j _; rewrite mxE.
Qed.

Theorem C19_convex_of_net n (theta : net R d 1 n) : shift theta = 0 ->
  exists2 p : point R d N n, feasible p
  & convex_value p = training z y beta theta.
Proof.
move=> c0; pose a j := outw theta j 0 0.
exists (Point (fun j => `|a j| *: inw theta j) (fun j => `|a j| * bias theta j)
  (fun j => [set i | 0 <= dot (inw theta j) (z i) + bias theta j])
  (fun j => a j < 0) (fun j => 2%:R^-1 * size theta j)) => [j|] /=.
  have heightE i : height (Point (fun j => `|a j| *: inw theta j)
      (fun j => `|a j| * bias theta j) (fun=> set0) (fun=> false) (fun=> 0)) j i
    = `|a j| * (dot (inw theta j) (z i) + bias theta j).
    by rewrite /height /= dotZl mulrDr.
  split=> [||i].
  - by rewrite mulr_ge0 ?invr_ge0 ?ler0n ?size_ge0.
  - rewrite normsqZ exprMn -mulrDr real_normK ?num_real //.
    rewrite /size normsq1 -/(a j).
    set u := normsq _ + _; rewrite -subr_ge0.
    have -> : (2%:R^-1 * (u + a j ^+ 2)) ^+ 2 - a j ^+ 2 * u
      = (2%:R^-1 * (u - a j ^+ 2)) ^+ 2 by field.
    exact: sqr_ge0.
  - rewrite inE; have := heightE i; rewrite /height /= => ->.
    case: ifPn => [|/negP/negP]; first exact: mulr_ge0.
    by rewrite -ltNge => lt0; rewrite mulr_ge0_le0 ?normr_ge0 // ltW.
rewrite /convex_value /training /decayed; congr (_ + _); last first.
  by rewrite -mulr_sumr /= mulrA.
apply: eq_bigr => i _; rewrite normsq1 coordB eval1 //.
congr (_ * (_ - _) ^+ 2); apply: eq_bigr => j _.
rewrite /height /= inE dotZl -mulrDr /act.
set t := dot _ _ + _; have [t_ge0|t_lt0] := leP 0 t; last first.
  by rewrite relu_0 ?ltW // mul0r mulr0.
rewrite relu_id // -/(a j); have [a_ge0|a_lt0] := leP 0 (a j).
  by rewrite ger0_norm // expr0 mul1r mulrC.
by rewrite ltr0_norm // expr1 mulrA mulN1r opprK mulrC.
Qed.

End Value.

Section Roots.

Variables (R : rcfType) (d N : nat) (z : 'I_N -> 'rV[R]_d).
Variables (y : 'I_N -> 'rV[R]_1) (beta : R).

Theorem C19_net_of_convex n (p : point R d N n) : 0 <= beta -> feasible z p ->
  exists2 theta : net R d 1 n, shift theta = 0
  & training z y beta theta <= convex_value z y beta p.
Proof.
move=> beta_ge0 p_ok; pose q k := Num.sqrt (len p k).
have q2 k : q k ^+ 2 = len p k by rewrite sqr_sqrtr //; case: (p_ok k).
have v0 k : q k = 0 -> vec p k = 0 /\ off p k = 0.
  move=> q0; have [_ + _] := p_ok k; rewrite -(q2 k) q0 expr0n expr0n /= => le0.
  have : normsq (vec p k) + off p k ^+ 2 == 0.
    by rewrite eq_le le0 addr_ge0 ?normsq_ge0 ?sqr_ge0.
  rewrite paddr_eq0 ?normsq_ge0 ?sqr_ge0 // normsq_eq0 sqrf_eq0.
  by case/andP => /eqP-> /eqP->.
pose theta := Net (fun k => (q k)^-1 *: vec p k) (fun k => (q k)^-1 * off p k)
  (fun k => ((-1) ^+ neg p k * q k)%:M) (0 : 'rV[R]_1).
exists theta => //; rewrite /training /decayed /convex_value.
apply: lerD.
  rewrite le_eqVlt; apply/orP; left; apply/eqP/eq_bigr => i _.
  rewrite normsq1 coordB eval1 //; congr (_ * (_ - _) ^+ 2).
  apply: eq_bigr => k _; rewrite /act /= dotZl -mulrDr mxE eqxx mulr1n.
  rewrite -/(height z p k i); have [_ _ /(_ i)] := p_ok k.
  have q_ge0 : 0 <= (q k)^-1 by rewrite invr_ge0 sqrtr_ge0.
  have [q0|q_neq0] := eqVneq (q k) 0.
    rewrite q0 !mulr0; have [v0k c0k] := v0 k q0.
    by rewrite /height v0k c0k dot0l addr0 if_same mulr0.
  case: ifP => _ h; last first.
    by rewrite relu_0 ?mul0r ?mulr0 // mulr_ge0_le0.
  rewrite relu_id ?mulr_ge0 // mulrCA; congr (_ * _).
  by rewrite mulrAC mulVf // mul1r.
rewrite -mulrA ler_wpM2l // mulr_sumr; apply: ler_sum => k _.
rewrite /size /= normsqZ exprMn -mulrDr normsq1 mxE eqxx mulr1n exprMn.
rewrite sqrr_sign mul1r q2; have [len_ge0 + _] := p_ok k.
rewrite -(q2 k) => v_le.
have [q0|q_neq0] := eqVneq (q k) 0.
  have [-> ->] := v0 k q0; rewrite (_ : normsq 0 = 0); last first.
    by apply/eqP; rewrite normsq_eq0.
  by rewrite q0 !expr0n /= !(addr0, mulr0).
rewrite ler_pdivrMl ?ltr0n // mulr_natl mulr2n lerD2r.
by rewrite exprVn ler_pdivrMl ?exprn_even_gt0 // -expr2.
Qed.

End Roots.

End Program.
