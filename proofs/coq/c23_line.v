(******************************************************************************)
(* C23 on a line: nets of n and n' units that agree at the points t_0 < ... < *)
(* t_N of a line agree on all gaps between neighbours but at most n + n'; and *)
(* their difference changes its sign at most n + n' + 1 times.                *)
(*                                                                            *)
(*     units f g j == the unit j of the two nets, as (w, b)                   *)
(*       part s == the weights 1 - s and s                                    *)
(*   at_share a c s == (1 - s) a + s c                                        *)
(*      spot x u s == the point x + s u of the line                           *)
(*   ends x u a c e == its points at a and c                                  *)
(*       pre x u j s == the pre-activation of unit j at the point s           *)
(*    cuts x u a c j == it has opposite signs at a and c                      *)
(*   gap x u a0 s == the difference of the nets at the point s, in the        *)
(*                    direction a0 of the outputs                             *)
(*        C23_line == they agree on all gaps but n + n'                       *)
(* C23_alternation == if their difference alternates in sign at M + 2 points, *)
(*                    in any direction of the outputs, then M <= n + n'       *)
(******************************************************************************)
From mathcomp Require Import all_ssreflect all_algebra ring.
From absence Require Import net c23_confinement.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

(* Whatever each of finitely many units meets at most c times.                *)
Lemma card_hit (T J : finType) (hit : T -> J -> bool) (c : nat) :
  (forall j, #|[set i | hit i j]| <= c)%N ->
  (#|[set i | [exists j, hit i j]]| <= #|J| * c)%N.
Proof.
move=> few; apply: (@leq_trans (\sum_i \sum_j hit i j)); last first.
  rewrite exchange_big /= -sum_nat_const; apply: leq_sum => j _.
  apply: leq_trans (few j); rewrite -sum1_card [leqRHS]big_mkcond /=.
  by apply: leq_sum => i _; rewrite inE; case: ifP.
rewrite -sum1_card [leqLHS]big_mkcond; apply: leq_sum => i _; rewrite inE.
by case: existsP => // -[j ij]; rewrite (bigD1 j) //= ij.
Qed.

Section Both.

Variables (R : realFieldType) (d m n n' : nat).
Variables (f : net R d m n) (g : net R d m n').

Definition units (j : 'I_n + 'I_n') : 'rV[R]_d * R :=
  match j with
  | inl k => (inw f k, bias f k)
  | inr k => (inw g k, bias g k)
  end.

Lemma card_units : #|{: 'I_n + 'I_n'}| = (n + n')%N.
Proof. by rewrite card_sum !card_ord. Qed.

Lemma cells (I : finType) (v : I -> 'rV[R]_d) :
  (forall j, ~~ crosses v (units j).1 (units j).2) -> cell v f /\ cell v g.
Proof.
move=> no; split=> k; apply: not_crosses; first exact: (no (inl k)).
exact: (no (inr k)).
Qed.

Section Line.

Variables (x u : 'rV[R]_d).

Definition spot (s : R) := x + s *: u.

Definition ends (a c : R) (e : bool) := spot (if e then c else a).

Definition part (s : R) (e : bool) := if e then s else 1 - s.

Lemma part_weights s : 0 <= s <= 1 -> weights (part s).
Proof.
move=> /andP[s_ge0 s_le1]; split=> [[]|] //=; first by rewrite subr_ge0.
by rewrite big_bool /= addrC subrK.
Qed.

Definition at_share (a c s : R) := (1 - s) * a + s * c.

Lemma mix_ends a c s : mix (part s) (ends a c) = spot (at_share a c s).
Proof.
rewrite /mix big_bool /ends /spot /at_share /= !scalerDr !scalerA addrACA.
rewrite -!scalerDl.
by rewrite [s + _]addrC subrK scale1r [s * c + _]addrC.
Qed.

(* The pre-activation of unit j at the point s.                               *)
Definition pre j s := dot (units j).1 (spot s) + (units j).2.

Lemma pre_at j a c s : pre j (at_share a c s) = (1 - s) * pre j a + s * pre j c.
Proof.
rewrite /pre /spot /at_share !dotDr !dotZr.
by move: (dot _ u) (dot _ x) (_.2) => p q b; ring.
Qed.

Definition cuts a c j := pre j a * pre j c < 0.

Lemma not_cuts a c : (forall j, ~~ cuts a c j) ->
  cell (ends a c) f /\ cell (ends a c) g.
Proof.
move=> no; apply: cells => j; apply: contra (no j).
case/existsP=> e /existsP[e' /andP[lt0 gt0]]; rewrite /cuts.
case: e e' lt0 gt0 => [] [] lt0 gt0; rewrite /pre.
- by have := lt_trans lt0 gt0; rewrite ltxx.
- by rewrite pmulr_rlt0.
- by rewrite nmulr_rlt0.
- by have := lt_trans lt0 gt0; rewrite ltxx.
Qed.

(* Times its slope it increases.                                              *)
Definition rise j s := dot (units j).1 u * pre j s.

Lemma rise_mono j a c : a <= c -> rise j a <= rise j c.
Proof.
move=> le_ac; rewrite -subr_ge0 /rise -mulrBr /pre /spot !dotDr !dotZr.
set p := dot _ u; set q := dot _ x; set b := _.2.
have -> : p * (q + c * p + b - (q + a * p + b)) = p ^+ 2 * (c - a) by ring.
by rewrite mulr_ge0 ?sqr_ge0 ?subr_ge0.
Qed.

Lemma cutsE j a c : a <= c -> cuts a c j = (rise j a < 0) && (0 < rise j c).
Proof.
move=> le_ac; rewrite /cuts; apply/idP/andP => [opposite|[]].
  have p_neq0 : dot (units j).1 u != 0.
    apply: contraTneq opposite => p0; rewrite -leNgt /pre /spot !dotDr !dotZr.
    by rewrite p0 !mulr0 -expr2 sqr_ge0.
  have p_gt0 : 0 < dot (units j).1 u ^+ 2.
    by rewrite lt_def sqrf_eq0 p_neq0 sqr_ge0.
  have: rise j a * rise j c < 0.
    by rewrite /rise mulrACA -expr2 pmulr_rlt0.
  have := rise_mono j le_ac; move: (rise j a) (rise j c) => p q pq.
  have [p_gt|p_lt|->] := ltrgt0P p; last by rewrite mul0r ltxx.
    rewrite pmulr_rlt0 // => q_lt; have := lt_trans q_lt p_gt.
    by rewrite ltNge pq.
  by rewrite nmulr_rlt0.
rewrite /rise; set p := dot _ u => pa pc; have := nmulr_rlt0 (p * pre j c) pa.
rewrite pc mulrACA -expr2 => lt0.
have p_neq0 : p != 0 by apply: contraTneq pc => ->; rewrite mul0r ltxx.
rewrite -(pmulr_rlt0 (pre j a * _) (_ : 0 < p ^+ 2)) //.
by rewrite lt_def sqrf_eq0 p_neq0 sqr_ge0.
Qed.

Lemma cuts_sub j a a' c' c : a <= a' -> a' <= c' -> c' <= c ->
  cuts a' c' j -> cuts a c j.
Proof.
move=> aa' a'c' c'c; have ac := le_trans (le_trans aa' a'c') c'c.
rewrite !cutsE // => /andP[lt0 gt0].
by rewrite (le_lt_trans (rise_mono j aa')) // (lt_le_trans gt0) ?rise_mono.
Qed.

Lemma cuts_once j a c a' c' : a <= c -> c <= a' -> a' <= c' ->
  cuts a c j -> cuts a' c' j -> False.
Proof.
move=> ac ca' a'c'; rewrite !cutsE // => /andP[_ gt0] /andP[lt0 _].
by have := lt_le_trans gt0 (rise_mono j ca'); rewrite ltNge ltW.
Qed.

Lemma between a c r : a < c -> a <= r <= c ->
  exists2 s, 0 <= s <= 1 & r = at_share a c s.
Proof.
move=> lt_ac /andP[ar rc]; have ac_gt0 : 0 < c - a by rewrite subr_gt0.
exists ((r - a) / (c - a)).
  rewrite divr_ge0 ?subr_ge0 ?(ltW lt_ac) //=.
  by rewrite ler_pdivrMr // mul1r lerD2r.
rewrite /at_share mulrBl mul1r addrAC -addrA -mulrBr divfK ?gt_eqF //.
by rewrite addrC subrK.
Qed.

Lemma within a c s : a < c -> 0 < s < 1 -> a < at_share a c s < c.
Proof.
move=> lt_ac /andP[s_gt0 s_lt1]; apply/andP; split; rewrite -subr_gt0.
  have -> : at_share a c s - a = s * (c - a) by rewrite /at_share; ring.
  by rewrite mulr_gt0 ?subr_gt0.
have -> : c - at_share a c s = (1 - s) * (c - a) by rewrite /at_share; ring.
by rewrite mulr_gt0 ?subr_gt0.
Qed.

(* Where an affine function with values p and q of opposite signs is 0.       *)
Lemma zero_between (p q : R) : p * q < 0 ->
  exists2 s, 0 < s < 1 & (1 - s) * p + s * q = 0.
Proof.
wlog p_gt0 : p q / 0 < p => [down|pq].
  have [p_gt0|p_lt0|->] := ltrgt0P p; first exact: down.
    rewrite -mulrNN => /down[|s s01 s0]; first by rewrite oppr_gt0.
    exists s => //; apply: oppr_inj; rewrite oppr0 -s0; by ring.
  by rewrite mul0r ltxx.
have q_lt0 : q < 0 by rewrite pmulr_rlt0 in pq.
have pq_gt0 : 0 < p - q by rewrite subr_gt0 (lt_trans q_lt0).
exists (p / (p - q)); last by field; rewrite gt_eqF.
by rewrite divr_gt0 //= ltr_pdivrMr // mul1r ltrDl oppr_gt0.
Qed.

Lemma sign_between (p q r : R) :
  p * q < 0 -> r != 0 -> (p * r < 0) || (r * q < 0).
Proof.
move=> pq; rewrite neq_lt => /orP[] sr.
  have [p_gt0|p_lt0|p0] := ltrgt0P p; first by rewrite pmulr_rlt0 ?sr.
    by rewrite orbC nmulr_rlt0 // -(nmulr_rlt0 q p_lt0) pq.
  by rewrite p0 mul0r ltxx in pq.
have [p_gt0|p_lt0|p0] := ltrgt0P p; last by rewrite p0 mul0r ltxx in pq.
  by rewrite orbC pmulr_rlt0 // -(pmulr_rlt0 q p_gt0) pq.
by rewrite nmulr_rlt0 ?sr.
Qed.

Section Signs.

Variable a0 : 'rV[R]_m.

(* The difference of the nets at s, in the direction a0 of the outputs.       *)
Definition gap s := dot a0 (eval f (spot s) - eval g (spot s)).

Lemma gap_at a c s : (forall j, ~~ cuts a c j) -> 0 <= s <= 1 ->
  gap (at_share a c s) = (1 - s) * gap a + s * gap c.
Proof.
move=> /not_cuts[cf cg] /part_weights ws.
rewrite /gap -mix_ends C23_confinement // {1}/mix big_bool /=.
by rewrite [LHS]dotDr addrC; congr (_ + _); apply: dotZr.
Qed.

Lemma gap_root a c : a < c -> gap a * gap c < 0 ->
  exists2 r, a < r < c & gap r = 0.
Proof.
have [k] := ubnP #|[set j | cuts a c j]|; elim: k => // k IH in a c *.
rewrite ltnS => few lt_ac opposite.
have [j cut_j|none] := pickP (cuts a c); last first.
  have [s s01 s0] := zero_between opposite.
  exists (at_share a c s); first exact: within.
  rewrite gap_at // => [j|]; first by rewrite none.
  by case/andP: s01 => /ltW -> /ltW ->.
have [s s01 s0] := zero_between cut_j; pose r := at_share a c s.
have /andP[ar rc] : a < r < c by apply: within.
have pre_r : pre j r = 0 by rewrite pre_at.
have half p q : p = r \/ q = r -> (forall i, cuts p q i -> cuts a c i) ->
    (#|[set i | cuts p q i]| < k)%N.
  move=> pqr sub; apply: leq_trans few; apply: proper_card; apply/properP.
  split; first by apply/subsetP => i; rewrite !inE; apply: sub.
  exists j; rewrite inE // /cuts.
  by case: pqr => ->; rewrite pre_r ?mulr0 ?mul0r ltxx.
have [gr0|gr_neq0] := eqVneq (gap r) 0; first by exists r; rewrite ?ar.
have /orP[sg|sg] : (gap a * gap r < 0) || (gap r * gap c < 0).
    exact: sign_between opposite gr_neq0.
  have [|s' /andP[as' s'r] s'0] := IH a r _ ar sg.
    by apply: half => [|i]; [right|exact: cuts_sub (lexx a) (ltW ar) (ltW rc)].
  by exists s'; rewrite ?as' ?(lt_trans s'r).
have [|s' /andP[rs' s'c] s'0] := IH r c _ rc sg.
  by apply: half => [|i]; [left|exact: cuts_sub (ltW ar) (ltW rc) (lexx c)].
by exists s'; rewrite ?s'c ?(lt_trans _ rs').
Qed.

End Signs.

(* Points t_0 < ... < t_N of the line, and the gaps between neighbours.       *)
Variables (N : nat) (t : nat -> R).
Hypothesis t_incr : forall i j, (i < j <= N)%N -> t i < t j.

Lemma t_mono i j : (i <= j <= N)%N -> t i <= t j.
Proof.
case/andP; rewrite leq_eqVlt => /predU1P[-> //|ij jN].
by rewrite ltW // t_incr // ij.
Qed.

Theorem C23_line :
  (forall i, (i <= N)%N -> eval f (spot (t i)) = eval g (spot (t i))) ->
  exists S : {set 'I_N}, (#|S| <= n + n')%N /\
  forall i, i \notin S -> forall s, t i <= s <= t i.+1 ->
    eval f (spot s) = eval g (spot s).
Proof.
move=> agree; exists [set i : 'I_N | [exists j, cuts (t i) (t i.+1) j]]; split.
  rewrite -card_units -[leqRHS]muln1; apply: card_hit => j.
  apply/card_le1_eqP => i i'; rewrite !inE => ci ci'; apply: val_inj => /=.
  have once p q : (p < q)%N -> (q < N)%N ->
      cuts (t p) (t p.+1) j -> cuts (t q) (t q.+1) j -> False.
    move=> pq qN; apply: cuts_once; apply: t_mono.
    - by rewrite leqnSn (leq_trans pq) // ltnW.
    - by rewrite pq ltnW.
    - by rewrite leqnSn.
  by case: (ltngtP i i') => // lt; [case: (once i i')|case: (once i' i)].
move=> i; rewrite inE negb_exists => /forallP no s s_in.
have lt_t : t i < t i.+1 by rewrite t_incr // ltnSn /=.
have [r /part_weights wr ->] := between lt_t s_in.
have [cf cg] := not_cuts no; apply/eqP; rewrite -subr_eq0 -mix_ends.
rewrite C23_confinement // /mix big1 // => e _; apply/eqP.
rewrite scaler_eq0 subr_eq0 /ends; apply/orP; right; apply/eqP.
by case: e; apply: agree; last exact: ltnW.
Qed.

End Line.

Theorem C23_alternation (x u : 'rV[R]_d) (a : 'rV[R]_m) M (t : nat -> R) :
  (forall i j, (i < j <= M.+1)%N -> t i < t j) ->
  (forall i, (i <= M)%N -> gap x u a (t i) * gap x u a (t i.+1) < 0) ->
  (M <= n + n')%N.
Proof.
move=> t_incr alternate.
have : forall i : 'I_M.+1, exists r, (t i < r < t i.+1) && (gap x u a r == 0).
  move=> i; have [|r r_in /eqP r0] := gap_root _ (alternate i (leq_ord i)).
    by rewrite t_incr // ltnSn /= ltnS leq_ord.
  by exists r; rewrite r_in.
case/fin_all_exists => r r_ok.
have r_lt (i : 'I_M.+1) : t i < r i by have /andP[/andP[]] := r_ok i.
have r_gt (i : 'I_M.+1) : r i < t i.+1 by have /andP[/andP[]] := r_ok i.
have r0 (i : 'I_M.+1) : gap x u a (r i) = 0 by have /andP[_ /eqP] := r_ok i.
have r_mono (i k : 'I_M.+1) : (i <= k)%N -> r i <= r k.
  rewrite leq_eqVlt => /predU1P[/val_inj->//|ik].
  apply/ltW/(lt_trans (r_gt i))/(le_lt_trans _ (r_lt k)).
  have [->//|ne] := eqVneq i.+1 k; rewrite ltW // t_incr //.
  by rewrite ltn_neqAle ne ik ltnW.
pose lo (i : 'I_M) : 'I_M.+1 := widen_ord (leqnSn M) i.
pose hi (i : 'I_M) : 'I_M.+1 := lift ord0 i.
have lt_r i : r (lo i) < r (hi i).
  by apply: lt_trans (r_gt _) _; apply: r_lt (hi i).
have : forall i : 'I_M, exists j, cuts x u (r (lo i)) (r (hi i)) j.
  move=> i; have [j cut_j|none] := pickP (cuts x u (r (lo i)) (r (hi i))).
    by exists j.
  have [|s s01 E] := between (r := t i.+1) (lt_r i).
    by rewrite ltW ?(r_gt (lo i)) // ltW // (r_lt (hi i)).
  have := alternate i (ltnW (ltn_ord i)); rewrite E gap_at //.
    by rewrite !r0 !mulr0 addr0 mulr0 ltxx.
  by move=> j; rewrite none.
case/fin_all_exists => j cut_j.
suff inj_j : injective j.
  by rewrite -card_units -[leqLHS]card_ord; apply: leq_card inj_j.
have once (p q : 'I_M) : (p < q)%N -> j p <> j q.
  move=> pq jpq; have := cut_j q; rewrite -jpq; apply: cuts_once (cut_j p).
  - exact: ltW.
  - by apply: r_mono; rewrite /= /bump add1n.
  - exact: ltW.
move=> p q jpq; apply: val_inj; case: (ltngtP p q) => // lt.
  by case: (once _ _ lt).
by case: (once _ _ lt).
Qed.

End Both.

