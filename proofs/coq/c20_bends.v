(******************************************************************************)
(* C20 on given data: P1 from the bends of the mean targets along two lines.  *)
(* Along a direction v of the outputs a unit bends every line up, or every    *)
(* line down, and each at one place only.                                     *)
(*                                                                            *)
(* bent x u v F a c s == along v, F at the point of share s between the places*)
(*                    a and c of the line x + s u is below the chord          *)
(*    in_turn a c == the gaps from a i to c i lie one after another           *)
(*      C20_bend == there a unit with <v, a_j> > 0 has opposite signs at the  *)
(*                    ends                                                    *)
(*     C20_bends == P1 for S_n if the mean targets are below the chord in P   *)
(*                    gaps of one line, above it in M gaps of one line, and   *)
(*                    n < P + M                                               *)
(******************************************************************************)
From mathcomp Require Import all_ssreflect all_algebra ring.
From absence Require Import net c6_underparameterised c23_confinement c23_line.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

Section Relu.

Variable R : realFieldType.
Implicit Types p q s : R.

Lemma relu_chord p q s : 0 <= s <= 1 ->
  relu ((1 - s) * p + s * q) <= (1 - s) * relu p + s * relu q.
Proof.
move=> /andP[s_ge0 s_le1]; have t_ge0 : 0 <= 1 - s by rewrite subr_ge0.
rewrite /relu ge_max addr_ge0 ?mulr_ge0 ?relu_ge0 //=.
by apply: lerD; rewrite ler_wpM2l // le_max lexx orbT.
Qed.

Lemma relu_straight p q s : 0 <= s <= 1 -> 0 <= p * q ->
  relu ((1 - s) * p + s * q) = (1 - s) * relu p + s * relu q.
Proof.
move=> /andP[s_ge0 s_le1] pq; have t_ge0 : 0 <= 1 - s by rewrite subr_ge0.
have same p' q' : 0 <= p' -> 0 <= q' ->
    relu ((1 - s) * p' + s * q') = (1 - s) * relu p' + s * relu q'.
  by move=> p_ge0 q_ge0; rewrite !relu_id ?addr_ge0 ?mulr_ge0.
have none p' q' : p' <= 0 -> q' <= 0 ->
    relu ((1 - s) * p' + s * q') = (1 - s) * relu p' + s * relu q'.
  move=> p_le0 q_le0; rewrite !relu_0 ?mulr0 ?addr0 //.
  by rewrite -[leRHS]addr0 lerD // mulr_ge0_le0.
have [p_gt0|p_lt0|->] := ltrgt0P p.
- by apply: same; rewrite ?(ltW p_gt0) // -(pmulr_rge0 _ p_gt0).
- by apply: none; rewrite ?(ltW p_lt0) // -(nmulr_rge0 _ p_lt0).
- by have [q_ge0|/ltW q_le0] := lerP 0 q; [apply: same|apply: none].
Qed.

End Relu.

Section Bends.

Variables (R : realFieldType) (d m n : nat).
Implicit Types (theta : net R d m n) (x u : 'rV[R]_d) (v : 'rV[R]_m).

Definition bent x u v (F : 'rV[R]_d -> 'rV[R]_m) (a c s : R) :=
  dot v (F (spot x u (at_share a c s)))
    < (1 - s) * dot v (F (spot x u a)) + s * dot v (F (spot x u c)).

Definition in_turn P (a c : 'I_P -> R) :=
  (forall i, a i <= c i) /\ forall i i' : 'I_P, (i < i')%N -> c i <= a i'.

(* The line lemmas of C23 are about two nets; the other one has no units.     *)
Let none : net R d m 0 := Net (fun=> 0) (fun=> 0) (fun=> 0) 0.

Definition opposite theta x u (a c : R) j := cuts theta none x u a c (inl j).

Theorem C20_bend theta x u v a c s : 0 <= s <= 1 ->
  bent x u v (eval theta) a c s ->
  exists2 j, 0 < dot v (outw theta j) & opposite theta x u a c j.
Proof.
move=> s01; pose up j := (0 < dot v (outw theta j)) && opposite theta x u a c j.
case: (pickP up) => [j /andP[]|flat]; first by exists j.
rewrite /bent ltNge => /negP[].
have evalE b : dot v (eval theta (spot x u b)) = dot v (shift theta)
    + \sum_j dot v (outw theta j) * relu (pre theta none x u (inl j) b).
  rewrite dotDr dot_sumr; congr (_ + _); apply: eq_bigr => j _.
  by rewrite dotZr mulrC.
rewrite !evalE !mulrDr addrACA -mulrDl subrK mul1r lerD2l !mulr_sumr -big_split.
apply: ler_sum => j _; rewrite /= pre_at !(mulrCA _ (dot v _)) -mulrDr.
have := flat j; rewrite /up /opposite /cuts => /negbT; rewrite negb_and -!leNgt.
move=> /orP[down|same]; last by rewrite relu_straight.
by rewrite ler_wnM2l // relu_chord.
Qed.

Lemma few_bends theta x u v P (a c s : 'I_P -> R) : in_turn a c ->
  (forall i, 0 <= s i <= 1) ->
  (forall i, bent x u v (eval theta) (a i) (c i) (s i)) ->
  (P <= #|[set j | (0 < dot v (outw theta j))%R]|)%N.
Proof.
move=> [le_ac turn] s01 bents.
have /fin_all_exists[f fP] i : exists j, 0 < dot v (outw theta j)
    /\ opposite theta x u (a i) (c i) j.
  by have [j] := C20_bend (s01 i) (bents i); exists j.
have once (i i' : 'I_P) : (i < i')%N -> f i != f i'.
  move=> /turn le; apply/eqP => eq_f.
  have [_ cut] := fP i; have [_ cut'] := fP i'; rewrite -eq_f in cut'.
  exact: (cuts_once (le_ac i) le (le_ac i') cut cut').
have f_inj : injective f.
  move=> i i' /eqP eq_f; apply/val_inj; case: (ltngtP i i') => // lt.
    by have := once _ _ lt; rewrite eq_f.
  by have := once _ _ lt; rewrite eq_sym eq_f.
rewrite -[leqLHS](card_ord P) -(card_imset predT f_inj).
by apply/subset_leq_card/subsetP => _ /imsetP[i _ ->]; rewrite inE; case: (fP i).
Qed.

Variables (N : nat) (z : 'I_N -> 'rV[R]_d) (y : 'I_N -> 'rV[R]_m).

Definition seen x u b := exists i, z i = spot x u b.

(* P gaps of one line and M of another, or of the same.                       *)
Theorem C20_bends v x u P (a c s : 'I_P -> R) x' u' M (a' c' s' : 'I_M -> R) :
  in_turn a c -> in_turn a' c' ->
  (forall i, 0 <= s i <= 1) -> (forall i, 0 <= s' i <= 1) ->
  (forall i, [/\ seen x u (a i), seen x u (c i)
    & seen x u (at_share (a i) (c i) (s i))]) ->
  (forall i, [/\ seen x' u' (a' i), seen x' u' (c' i)
    & seen x' u' (at_share (a' i) (c' i) (s' i))]) ->
  (forall i, bent x u v (gmean z y) (a i) (c i) (s i)) ->
  (forall i, bent x' u' (- v) (gmean z y) (a' i) (c' i) (s' i)) ->
  (n < P + M)%N -> P1 z y n.
Proof.
move=> turn turn' s01 s01' on on' up down lt_n theta.
apply/(C6_equivalents z y theta 2%N 0%N); rewrite /= lt_neqAle net.floor_le andbT.
apply/negP => /eqP/esym/C6_zero_iff res0.
have fit w w' b : seen w w' b -> eval theta (spot w w' b) = gmean z y (spot w w' b).
  by move=> [i <-]; apply/esym/eqP; rewrite -subr_eq0; apply/eqP/res0.
have upP : (P <= #|[set j | (0 < dot v (outw theta j))%R]|)%N.
  apply: (few_bends (x := x) (u := u)) turn s01 _ => i.
  by have [? ? ?] := on i; rewrite /bent !fit //; apply: up.
have downP : (M <= #|[set j | (0 < dot (- v) (outw theta j))%R]|)%N.
  apply: (few_bends (x := x') (u := u')) turn' s01' _ => i.
  by have [? ? ?] := on' i; rewrite /bent !fit //; apply: down.
move: lt_n; rewrite ltnNge => /negP[]; apply: leq_trans (leq_add upP downP) _.
set A := [set _ | _]; set B := [set _ | _].
have AB : A :&: B = set0.
  apply/setP => j; rewrite !inE -[- v]scaleN1r dotZl mulN1r oppr_gt0.
  by apply/negP => /andP[/lt_trans lt /lt]; rewrite ltxx.
rewrite -cardsUI AB cards0 addn0 -[leqRHS]card_ord; exact: max_card.
Qed.

End Bends.
