(******************************************************************************)
(* C19, learned features: one convex program. A net is a point with as many   *)
(* vectors as it has units (C19_convex_of_net), each with a pattern of its    *)
(* own; vectors of one pattern and sign add up.                               *)
(*                                                                            *)
(* all_patterns p == p has every pattern with either sign, once each: these   *)
(*                    points are those of one convex program, and nets of     *)
(*                    2^(N+1) units (C19_net_of_convex)                       *)
(* C19_one_program == every feasible point, of any number of vectors, is one  *)
(*                    of all_patterns with the same value                     *)
(******************************************************************************)
From mathcomp Require Import all_ssreflect all_algebra ring.
From absence Require Import net c19_convex.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

Section OneProgram.

Variables (R : realFieldType) (d N : nat) (z : 'I_N -> 'rV[R]_d).
Variables (y : 'I_N -> 'rV[R]_1) (beta : R).

(* Every pattern with either sign, once each.                                 *)
Definition all_patterns (p : point R d N #|{: {set 'I_N} * bool}|) :=
  forall k, (pat p k, neg p k) = enum_val k.

Lemma length_add (u v : 'rV[R]_d) (a c s t : R) : 0 <= s -> 0 <= t ->
  normsq u + a ^+ 2 <= s ^+ 2 -> normsq v + c ^+ 2 <= t ^+ 2 ->
  normsq (u + v) + (a + c) ^+ 2 <= (s + t) ^+ 2.
Proof.
move=> s_ge0 t_ge0 u_le v_le.
have cross : dot u v + a * c <= s * t.
  rewrite leNgt; apply/negP => lt_st.
  have := cauchy2 u v a c; rewrite leNgt => /negP; apply.
  apply: (@le_lt_trans _ _ ((s * t) ^+ 2)).
    by rewrite exprMn ler_pM ?addr_ge0 ?normsq_ge0 ?sqr_ge0.
  by rewrite ltrXn2r ?nnegrE ?mulr_ge0 // (le_trans _ (ltW lt_st)) ?mulr_ge0.
have -> : normsq (u + v) = normsq u + dot u v *+ 2 + normsq v.
  rewrite /normsq /dot -sumrMnl -!big_split; apply: eq_bigr => i _ /=.
  by rewrite mxE; move: (u 0 i) (v 0 i) => f g; ring.
rewrite -subr_ge0.
have -> : (s + t) ^+ 2 - (normsq u + dot u v *+ 2 + normsq v + (a + c) ^+ 2)
  = (s ^+ 2 - (normsq u + a ^+ 2)) + (t ^+ 2 - (normsq v + c ^+ 2))
    + (s * t - (dot u v + a * c)) *+ 2 by ring.
apply: addr_ge0; last by rewrite mulrn_wge0 // subr_ge0.
by apply: addr_ge0; rewrite subr_ge0.
Qed.

Theorem C19_one_program n (p : point R d N n) : feasible z p ->
  exists2 q, feasible z q /\ all_patterns q
  & convex_value z y beta q = convex_value z y beta p.
Proof.
move=> p_ok; pose kind (k : 'I_#|{: {set 'I_N} * bool}|) := enum_val k.
pose at_ k (j : 'I_n) := (pat p j, neg p j) == kind k.
pose q : point R d N #|{: {set 'I_N} * bool}| := Point
  (fun k => \sum_(j | at_ k j) vec p j) (fun k => \sum_(j | at_ k j) off p j)
  (fun k => (kind k).1) (fun k => (kind k).2)
  (fun k => \sum_(j | at_ k j) len p j).
have heightE k i : height z q k i = \sum_(j | at_ k j) height z p j i.
  by rewrite /height /= dotC dot_sumr -big_split; apply: eq_bigr => j _;
    rewrite dotC.
have by_pattern (F : 'I_n -> R) :
    \sum_k \sum_(j | at_ k j) F j = \sum_j F j.
  pose rank j := enum_rank (pat p j, neg p j).
  rewrite [RHS](partition_big rank xpredT) //.
  apply: eq_bigr => k _; apply: eq_bigl => j; rewrite /at_ /kind /rank.
  by apply/eqP/eqP => [->|<-]; rewrite ?enum_valK ?enum_rankK.
exists q.
  split=> k; last by rewrite /= /kind; case: (enum_val k).
  have [len_ge0 short] : 0 <= len q k /\
      normsq (vec q k) + off q k ^+ 2 <= len q k ^+ 2.
    apply: (big_ind3 (fun v a l => 0 <= l /\ normsq v + a ^+ 2 <= l ^+ 2)).
    - rewrite lexx expr0n /= addr0 /normsq big1 // => i _.
      by rewrite mxE expr0n.
    - move=> u a s v c t [s_ge0 u_le] [t_ge0 v_le].
      by split; [rewrite addr_ge0|apply: length_add].
    - by move=> j _; have [] := p_ok j.
  split=> // i; have side j : at_ k j ->
      if i \in pat q k then 0 <= height z p j i else height z p j i <= 0.
    move=> /eqP atj; have [_ _ /(_ i)] := p_ok j.
    by rewrite /= -atj.
  rewrite heightE; case: ifP side => _ side; first exact: sumr_ge0.
  rewrite -oppr_ge0 -sumrN; apply: sumr_ge0 => j atj.
  by rewrite oppr_ge0 side.
rewrite /convex_value by_pattern; congr (_ + _); apply: eq_bigr => i _.
congr (_ * (_ - _) ^+ 2); rewrite /fitted -[RHS]by_pattern.
apply: eq_bigr => k _; rewrite heightE /=.
transitivity (\sum_(j | at_ k j)
    (-1) ^+ (kind k).2 * (if i \in (kind k).1 then height z p j i else 0)).
  by rewrite -mulr_sumr; congr (_ * _); case: ifP => // _; rewrite big1.
by apply: eq_bigr => j /eqP <-.
Qed.

End OneProgram.
