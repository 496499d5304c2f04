(******************************************************************************)
(* C20, counted parameters: P1 from a count. The inputs z_i are distinct, and *)
(* there are more of them than n (d + 1) + 1, the weights and biases of the   *)
(* hidden units and one more. Then P1 holds for all targets outside finitely  *)
(* many hyperplanes, in any one coordinate.                                   *)
(*                                                                            *)
(*        pattern == for each unit the inputs at which it is active           *)
(*    entry T i e == the row of input i in the pattern T: 1, and for each     *)
(*                    unit that is active there 1 and z_i                     *)
(*        table T == the matrix of these rows: the outputs of every net with  *)
(*                    this pattern are in its column space                    *)
(*       normal T == a vector orthogonal to all columns, not 0                *)
(*    C20_counted == P1 holds for targets y with sum_i v_i y_i != 0 in some   *)
(*                    coordinate for each of finitely many v != 0             *)
(*       C20_seed == then no circuit of a minimiser can be removed at no loss *)
(******************************************************************************)
From mathcomp Require Import all_ssreflect all_algebra.
From absence Require Import net c6_underparameterised c8_main.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

Section Counted.

Variables (R : realFieldType) (d n N : nat) (z : 'I_N -> 'rV[R]_d).
Hypothesis z_inj : injective z.
Hypothesis few : ((n * d.+1).+1 < N)%N.

Let ix := option ('I_n * option 'I_d).
Let pattern := {ffun 'I_n -> {set 'I_N}}.
Definition entry (T : pattern) (i : 'I_N) (k : ix) : R :=
  match k with
  | None => 1
  | Some (j, None) => (i \in T j)%:R
  | Some (j, Some l) => (i \in T j)%:R * z i 0 l
  end.
Definition table (T : pattern) : 'M[R]_(N, #|{: ix}|) := \matrix_(i, k) entry T i (enum_val k).
Definition normal (T : pattern) : 'rV[R]_N := nz_row (kermx (table T)).

Lemma normal_neq0 T : normal T != 0.
Proof.
rewrite /normal nz_row_eq0 -mxrank_eq0 mxrank_ker -lt0n subn_gt0.
apply: leq_ltn_trans (rank_leq_col _) _.
by rewrite card_option card_prod card_option !card_ord.
Qed.

Lemma normal_entry T k : \sum_i normal T 0 i * entry T i k = 0.
Proof.
have /sub_kermxP/rowP/(_ (enum_rank k)) := nz_row_sub (kermx (table T)).
rewrite -/(normal T) !mxE => E; rewrite -[RHS]E; apply: eq_bigr => i _.
by rewrite mxE enum_rankK.
Qed.

Theorem C20_counted : exists s : seq 'rV[R]_N, (forall v, v \in s -> v != 0) /\
  forall m (y : 'I_N -> 'rV[R]_m) (k : 'I_m),
    (forall v, v \in s -> \sum_i v 0 i * y i 0 k != 0) -> P1 z y n.
Proof.
exists [seq normal T | T <- enum {: pattern}].
split=> [v /mapP[T _ ->]|m y k gen theta]; first exact: normal_neq0.
apply/(C6_equivalents z y theta 2%N 0%N); rewrite /= lt_neqAle net.floor_le andbT.
apply/negP => /eqP/esym/C6_zero_iff res0.
have fit i : eval theta (z i) 0 k = y i 0 k.
  have := res0 i; rewrite /gres /gmean /gsum /nu (big_pred1 i) => [|j]; last first.
    by rewrite (inj_eq z_inj).
  rewrite (_ : #|_| = 1%N) ?invr1 ?scale1r; last first.
    transitivity #|pred1 i|; last exact: card1.
    by apply: eq_card => j; rewrite !inE (inj_eq z_inj).
  by move=> /eqP; rewrite subr_eq0 => /eqP->.
pose T : pattern := [ffun j => [set i | 0 <= dot (inw theta j) (z i) + bias theta j]].
have /negP[] := gen _ (map_f normal (mem_enum _ T) : normal T \in _); apply/eqP.
under eq_bigr => i _ do rewrite -fit.
have E i : eval theta (z i) 0 k = shift theta 0 k * entry T i None
    + \sum_j outw theta j 0 k * (bias theta j * entry T i (Some (j, None))
        + \sum_l inw theta j 0 l * entry T i (Some (j, Some l))).
  rewrite /eval mxE summxE mulr1; congr (_ + _); apply: eq_bigr => j _.
  rewrite mxE mulrC; congr (_ * _); rewrite /entry ffunE inE /act.
  have [p0|p0] := lerP 0 (dot (inw theta j) (z i) + bias theta j).
    rewrite relu_id // mulr1 addrC; congr (_ + _).
    by apply: eq_bigr => l _; rewrite mul1r.
  by rewrite relu_0 ?(ltW p0) // mulr0 add0r big1 // => l _; rewrite mul0r mulr0.
under eq_bigr => i _ do rewrite E mulrDr.
rewrite big_split /=.
have pull (c : R) e : \sum_i normal T 0 i * (c * entry T i e) = 0.
  under eq_bigr => i _ do rewrite mulrCA.
  by rewrite -mulr_sumr normal_entry mulr0.
rewrite [X in X + _](pull (shift theta 0 k) None) add0r.
under eq_bigr => i _ do rewrite mulr_sumr.
rewrite exchange_big big1 // => j _.
under eq_bigr => i _ do rewrite mulrCA.
rewrite -mulr_sumr; under eq_bigr => i _ do rewrite mulrDr.
rewrite big_split /= [X in X + _](pull (bias theta j) (Some (j, None))) add0r.
under eq_bigr => i _ do rewrite mulr_sumr.
by rewrite exchange_big big1 ?mulr0 // => l _; apply: (pull _ (Some (j, Some l))).
Qed.
Theorem C20_seed : exists s : seq 'rV[R]_N, (forall v, v \in s -> v != 0) /\
  forall m (y : 'I_N -> 'rV[R]_m) (k : 'I_m),
    (forall v, v \in s -> \sum_i v 0 i * y i 0 k != 0) ->
  forall theta : net R d m n, minimiser z y theta ->
  forall J v, J != set0 -> loss z y theta < loss z y (hardcode theta J v).
Proof.
have [s [s0 generic]] := C20_counted.
exists s; split=> // m y k off; exact: C8_no_removable (generic m y k off).
Qed.

End Counted.
