(******************************************************************************)
(* Checkers of audits: what units and circuits of a net of any depth do at    *)
(* rows of data, one pass over the rows for all that is claimed. A row is     *)
(* asked for by its number; so no more than one is in memory. What is         *)
(* accepted holds in the words of c2_deep.v.                                  *)
(*                                                                            *)
(*  claim == Dead J: the units of J have the value 0 at every row             *)
(*           Steady J c: they have one positive value, c in the scale there   *)
(*           Sends J v f: the units above receive v from J at just the rows   *)
(*           whose number satisfies f                                         *)
(* every f i n == f holds of the n numbers from i on                          *)
(* check_rows s es cuts d m ls out claims N get == the claims, a list for     *)
(*           each hidden layer, hold at the N rows of get; s and es are       *)
(*           scales of the rows and of the layers, which are hints            *)
(* holds k c == what a claim about hidden layer k says                        *)
(******************************************************************************)
From Coq Require Import QArith Lia.
From mathcomp Require Import all_ssreflect all_algebra ssrZ.
From absence Require Import net compute check_nets check_deep c2_deep check_chains check_integers
  check_rough.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.

Local Notation llayer := check_deep.layer.

Inductive claim :=
  | Dead (J : seq bool)
  | Steady (J : seq bool) (c : seq Z)
  | Sends (J : seq bool) (v : seq number) (f : Z -> bool).

Fixpoint every (f : Z -> bool) (i : Z) (n : nat) : bool :=
  if n is n'.+1 then (if f i then every f (Z.succ i) n' else false) else true.

Definition test := seq Z -> Z -> bool.

Definition noscale := Scale Z0 Z0.

Definition test_of (cut : Z) (t : scale) (l next : llayer Z) (c : claim) : option test :=
  match c with
  | Dead J => let f := dead_test J l cut in Some (fun h _ => f h)
  | Steady J c =>
    let us := map trimmed (mask J l) in
    if (size J == size l) && all (Z.ltb Z0) c then Some (fun h _ => zsame (zaffine us h) c) else None
  | Sends J v f =>
    let us := mask J l in
    let ws := [seq mask J wb.1 | wb <- next] in
    if size v == size next then
      if overs t v is Some u then
        Some (fun h i =>
          let sent := map zrelu (zaffine us h) in
          Bool.eqb (zsame [seq zdot Z0 w sent | w <- ws] u) (f i))
      else None
    else None
  end.

Fixpoint tests_of (cuts : seq Z) (s : scale) (es : seq scale) (zs : seq (llayer Z))
    (claims : seq (seq claim)) : option (seq (seq test)) :=
  match claims, es, zs with
  | [::], _, _ => Some [::]
  | cs :: claims', e :: es', l :: zs' =>
    if zs' is next :: _ then
      if each (test_of (head Z0 cuts) (times (head noscale es') (times e s)) l next) cs is Some ts then
        if tests_of (behead cuts) (times e s) es' zs' claims' is Some more then Some (ts :: more)
        else None
      else None
    else None
  | _, _, _ => None
  end.

Fixpoint walk (zs : seq (llayer Z)) (tests : seq (seq test)) (h : seq Z) (i : Z) : bool :=
  match tests, zs with
  | [::], _ => true
  | ts :: tests', l :: zs' =>
    if all (fun t : test => t h i) ts then
      (if all (@nilp _) tests' then true else walk zs' tests' (map zrelu (zaffine l h)) i)
    else false
  | _ :: _, [::] => false
  end.

Definition at_row (d : nat) (s : scale) (get : Z -> seq number) (f : seq Z -> bool) (i : Z) :=
  if overs s (get i) is Some x then (size x == d) && f x else false.

Definition check_rows (s : scale) (es : seq scale) (cuts : seq Z) (d m : nat)
    (ls : seq (llayer number)) (out : llayer number) (claims : seq (seq claim)) (N : nat)
    (get : Z -> seq number) : bool :=
  if [&& proper s, linked d ls out, size out == m & all (Z.leb Z0) cuts] then
    if over_layers s es (rcons ls out) is Some zs then
      if tests_of cuts s es zs claims is Some tests then
        every (fun i => at_row d s get (fun x => walk zs tests x i) i) Z0 N
      else false
    else false
  else false.

(* What the units above receive from a circuit at a row.                      *)
Definition sent_at (zs : seq (llayer Z)) (J : seq bool) (k : nat) (x : seq Z) :=
  zsent J (nth [::] zs k.+1) (zforward (take k.+1 zs) x).

Lemma everyP f n : every f Z0 n -> forall i : 'I_n, f (Z.of_nat i).
Proof.
have gen k : every f (Z.of_nat k) n -> forall i, (i < n)%N -> f (Z.of_nat (k + i)).
  elim: n k => [//|n IH] k /=; case: ifP => // f_k rest [_|i i_n]; first by rewrite addn0.
  by rewrite -addSnnS; apply: IH; rewrite // Nat2Z.inj_succ.
by move=> all_f i; have := gen 0%N all_f i (ltn_ord i).
Qed.

(* What is tested at a row                                                    *)

Lemma walkP zs tests h i k : walk zs tests h i -> (k < size tests)%N ->
  all (fun t : test => t (zforward (take k zs) h) i) (nth [::] tests k).
Proof.
elim: tests zs h k => [//|ts tests IH] [|l zs] h k //=; case: ifP => // now.
case: k => [//|k]; case: ifP => [/(all_nthP [::]) none _ k_n|_ rest k_n]; last exact: (IH _ _ k).
by rewrite [nth _ _ _]/= (nilP (none k k_n)).
Qed.

Lemma each_nth (A B : Type) (f : A -> option B) s t c : each f s = Some t ->
  List.In c s -> exists2 b, f c = Some b & List.In b t.
Proof.
elim: s t => [//|a s IH] t /=; case E: (f a) => [b|//]; case F: (each f s) => [u|//] [<-].
case=> [<-|c_s]; first by exists b => //; left.
by have [b' ? ?] := IH u F c_s; exists b' => //; right.
Qed.

Lemma tests_ofP cuts s es zs claims tests k c :
    tests_of cuts s es zs claims = Some tests -> List.In c (nth [::] claims k) ->
  [/\ (k < size tests)%N, (k.+1 < size zs)%N & exists2 t,
    test_of (nth Z0 cuts k) (times (nth noscale es k.+1) (scale_at s (take k.+1 es)))
      (nth [::] zs k) (nth [::] zs k.+1) c = Some t
    & List.In t (nth [::] tests k)].
Proof.
elim: claims cuts s es zs tests k => [|cs claims IH] cuts s [|e es] [|l zs] tests k //=;
  try by case: k.
case: zs => [//|next zs]; case E: (each _ cs) => [ts|//].
case F: (tests_of _ _ _ _ claims) => [more|//] [<-]; case: k => [|k] c_k.
  have [t tE t_ts] := each_nth E c_k; split=> //; exists t => //=.
  by move: tE; rewrite take0 /= !nth0.
have [k_t k_z [t tE t_k]] := IH _ _ _ _ _ _ F c_k; split=> //; exists t => //.
by move: tE; rewrite nth_behead.
Qed.

Local Open Scope ring_scope.

Section Correct.

Variable R : realFieldType.
Local Notation value := (value R).
Local Notation vlayer := (value_layer R).
Local Notation Rops := (Rops R).

Lemma fan_in_value k l : fan_in k (vlayer l) = fan_in k l.
Proof. by rewrite /fan_in all_map; apply: eq_all => wb /=; rewrite size_map. Qed.

Lemma linked_value k ls out : linked k (map vlayer ls) (vlayer out) = linked k ls out.
Proof.
by elim: ls k => [|l ls IH] k /=; rewrite fan_in_value // size_map IH.
Qed.

Lemma reader_value k ls out : (k < size ls)%N ->
  reader (map vlayer ls) (vlayer out) k = nth [::] (map vlayer (rcons ls out)) k.+1.
Proof.
move=> k_ls; rewrite /reader map_rcons nth_rcons size_map.
have [lt|ge] := ltnP k.+1 (size ls); first by apply: set_nth_default; rewrite size_map.
by rewrite nth_default ?size_map // eqn_leq k_ls ge.
Qed.

Variables (d m : nat) (ls : seq (llayer number)) (out : llayer number).
Let p := chain m d (map vlayer ls) (vlayer out).
Let ws := map size (map vlayer ls).

Section Scaled.

Variables (s : scale) (es : seq scale) (zs : seq (llayer Z)).
Hypotheses (s_gt0 : proper s) (fit : linked d ls out) (out_m : size out = m).
Hypothesis zsE : over_layers s es (rcons ls out) = Some zs.

Let t k := scale_at s (take k es).

Lemma zs_size : size zs = (size ls).+1.
Proof. by have [-> _ _] := over_layersP R s_gt0 zsE; rewrite size_rcons. Qed.

Lemma proper_at k : (k <= size ls)%N -> proper (t k).
Proof.
move=> k_ls; have [_ _ same] := over_layersP R s_gt0 zsE.
by have [|_] := same [::] k; rewrite // size_rcons ltnW.
Qed.

Lemma forwardE k x : (k <= size ls)%N ->
  lforward Rops (take k (map vlayer ls)) (multiple R s x) = multiple R (t k) (zforward (take k zs) x).
Proof.
move=> k_ls; have [_ _ same] := over_layersP R s_gt0 zsE.
have [|<- _] := same x k; first by rewrite size_rcons ltnW.
by rewrite map_rcons -cats1 takel_cat // size_map.
Qed.

Lemma hiddenE k x : (k < size ls)%N -> size x = d ->
  hidden p k (rvec d (multiple R s x)) = multiple R (t k.+1) (zforward (take k.+1 zs) x).
Proof.
move=> k_ls x_d; rewrite hidden_chain ?linked_value ?size_map //.
exact: forwardE.
Qed.

Lemma zforwardS k x : (k < size zs)%N ->
  zforward (take k.+1 zs) x = map zrelu (zaffine (nth [::] zs k) (zforward (take k zs) x)).
Proof. by move=> k_z; rewrite (take_nth [::]) // /zforward foldl_rcons. Qed.

Lemma sentE J k x : (k < size ls)%N ->
  lsent Rops J (reader (map vlayer ls) (vlayer out) k)
    (lforward Rops (take k.+1 (map vlayer ls)) (multiple R s x))
  = multiple R (times (nth noscale es k.+1) (t k.+1)) (sent_at zs J k x)
  /\ proper (times (nth noscale es k.+1) (t k.+1)).
Proof.
move=> k_ls; rewrite reader_value // forwardE //.
have [|e_gt0 t_gt0 ->] := scaled_nth R s_gt0 zsE (_ : k.+1 < _)%N; first by rewrite size_rcons.
by rewrite sentP; split=> //; apply: proper_times.
Qed.

Lemma reader_size k : (k < size ls)%N ->
  size (reader (map vlayer ls) (vlayer out) k) = size (nth [::] zs k.+1).
Proof.
move=> k_ls; rewrite reader_value //.
have [|_ _ ->] := scaled_nth R s_gt0 zsE (_ : k.+1 < _)%N; first by rewrite size_rcons.
by rewrite size_map.
Qed.

End Scaled.

Section Rows.

Variables (N : nat) (get : Z -> seq number).

Definition zrow (i : Z) : 'rV[R]_d := rvec d (map value (get i)).
Let z (i : 'I_N) := zrow (Z.of_nat i).

Definition holds (k : nat) (c : claim) : Prop :=
  match c with
  | Dead J => forall i j, nth false J j -> nth 0 (hidden p k (z i)) j = 0
  | Steady J _ => forall i i' j, nth false J j ->
      0 < nth 0 (hidden p k (z i)) j /\ nth 0 (hidden p k (z i)) j = nth 0 (hidden p k (z i')) j
  | Sends J v f => forall i : 'I_N,
      idle_deep set0 p (circuits ws (only k J)) (receives m ws (into k (map value v)))
        (fun _ : 'I_1 => z i) <-> f (Z.of_nat i)
  end.

Variables (s : scale) (es : seq scale) (cuts : seq Z) (claims : seq (seq claim)).

(* Row i is x in integers.                                                    *)
Definition row_is (i : 'I_N) (x : seq Z) := size x = d /\ z i = rvec d (multiple R s x).

Section Over.

Variables (zs : seq (llayer Z)) (k : nat).
Hypotheses (s_gt0 : proper s) (fit : linked d ls out) (k_ls : (k < size ls)%N).
Hypothesis zsE : over_layers s es (rcons ls out) = Some zs.

Let sums x := zaffine (nth [::] zs k) (zforward (take k zs) x).

Let hidE x : size x = d ->
  hidden p k (rvec d (multiple R s x)) = multiple R (scale_at s (take k.+1 es)) (map zrelu (sums x)).
Proof.
move=> x_d; rewrite (hiddenE s_gt0 fit zsE k_ls x_d) zforwardS //.
by rewrite (zs_size s_gt0 zsE) ltnS ltnW.
Qed.

Lemma dead_holds J : (forall i : 'I_N, exists2 x, row_is i x
    & forall j, nth false J j -> nth Z0 (map zrelu (sums x)) j = Z0) -> holds k (Dead J).
Proof.
move=> at_i i j jJ; have [x [x_d zE] off] := at_i i; rewrite zE hidE //.
have [lt|ge] := ltnP j (size (map zrelu (sums x))); last by rewrite nth_default // size_map.
by rewrite (nth_map Z0) // off // zr0 mulr0.
Qed.

Lemma steady_holds J cs : size J = size (nth [::] zs k) -> all (Z.ltb Z0) cs ->
    (forall i : 'I_N, exists2 x, row_is i x & mask J (sums x) = cs) -> holds k (Steady J cs).
Proof.
move=> J_n cs0 at_i i i' j jJ; have t_gt0 := proper_at s_gt0 zsE k_ls.
have j_n : (j < size (nth [::] zs k))%N.
  by rewrite -J_n; case: ltnP => // ge; rewrite nth_default in jJ.
have pos (w : seq Z) : size w = size J -> mask J w = cs -> Z.lt Z0 (nth Z0 w j).
  move=> w_J w_cs; have : all (Z.ltb Z0) (mask J w) by rewrite w_cs.
  by move=> /(all_mask Z0) H; apply/Z.ltb_spec0/H => //; rewrite w_J J_n.
have same (w w' : seq Z) : size w = size w' -> mask J w = mask J w' -> nth Z0 w j = nth Z0 w' j.
  elim: w w' (J) (j) jJ {pos at_i J_n j_n} => [|a w IH] [|b w'] [|[] J'] [|j'] //=.
  + by move=> _ _ [].
  + by move=> jJ [w_n] [_ w_w']; apply: IH jJ w_n w_w'.
  + by move=> jJ [w_n] w_w'; apply: IH jJ w_n w_w'.
have [x [x_d ->] xE] := at_i i; have [y [y_d ->] yE] := at_i i'.
have u_n x' : size (sums x') = size J by rewrite size_map J_n.
rewrite !hidE // !(nth_map Z0) ?size_map // (same (sums x) (sums y)) ?u_n ?xE ?yE //; split=> //.
have u_gt0 := pos _ (u_n y) yE.
by rewrite mulr_gt0 ?size_gt0 // zr_gt0 /zrelu; apply/Z.ltb_spec0; lia.
Qed.

End Over.

Lemma rows_fit : check_rows s es cuts d m ls out claims N get ->
  [/\ linked d ls out, size out = m & forall i : 'I_N, size (get (Z.of_nat i)) = d].
Proof.
rewrite /check_rows; case: ifP => // /and4P[s_gt0 fit /eqP out_m _].
case: over_layers => [zs|//]; case: tests_of => [tests|//] /everyP rows; split=> // i.
have := rows i; rewrite /at_row; case xE: overs => [x|//] /andP[/eqP <- _].
by rewrite -(size_map value) (oversP R s_gt0 xE) size_map.
Qed.

Theorem C2_check_rows k c : check_rows s es cuts d m ls out claims N get ->
  List.In c (nth [::] claims k) -> holds k c.
Proof.
rewrite /check_rows; case: ifP => // /and4P[s_gt0 fit /eqP out_m /all_nthP c0].
case zsE: over_layers => [zs|//]; case tE: tests_of => [tests|//] /everyP rows c_k.
have [k_t k_z [tst tstE t_in]] := tests_ofP tE c_k.
have zs_n := zs_size s_gt0 zsE; have k_ls : (k < size ls)%N by rewrite zs_n in k_z.
have cut0 : Z.le Z0 (nth Z0 cuts k).
  have [lt|ge] := ltnP k (size cuts); last by rewrite nth_default //; lia.
  by apply/Z.leb_spec0/c0.
have at_i (i : 'I_N) : exists2 x, row_is i x & tst (zforward (take k zs) x) (Z.of_nat i).
  have := rows i; rewrite /at_row; case xE: overs => [x|//] /andP[/eqP x_d] /walkP passed.
  by exists x; [split; rewrite // /z /zrow (oversP R s_gt0 xE)|apply: all_in (passed _ k_t) t_in].
case: c c_k tstE => [J|J cs|J v f] c_k.
- move=> [tstE]; apply: (dead_holds s_gt0 fit k_ls zsE) => i.
  have [x xP ok] := at_i i; exists x => // j jJ; move: ok; rewrite -tstE => ok.
  exact: dead_testP ok cut0 jJ.
- rewrite /=; case: ifP => // /andP[/eqP J_n cs0] [tstE].
  apply: (steady_holds s_gt0 fit k_ls zsE J_n cs0) => i; have [x xP ok] := at_i i; exists x => //.
  by move: ok; rewrite -tstE => /zsameP <-; rewrite trim_affine /zaffine map_mask.
rewrite /=; case: ifP => // /eqP v_n; case uE: overs => [u|//] [tstE] i.
have [x [x_d zE] ok] := at_i i; rewrite -tstE in ok.
have [sE sc_gt0] := sentE s_gt0 zsE J x k_ls.
have lens : size (map value v) = size (reader (map vlayer ls) (vlayer out) k).
  by rewrite size_map v_n (reader_size s_gt0 zsE k_ls).
have fit' : linked d (map vlayer ls) (vlayer out) by rewrite linked_value.
have out_m' : size (vlayer out) = m by rewrite size_map.
have k_ls' : (k < size (map vlayer ls))%N by rewrite size_map.
have x_d' (_ : 'I_1) : size (multiple R s x) = d by rewrite size_map.
apply: iff_trans (idle_only out_m' J fit' k_ls' x_d' (fun=> zE) lens) _.
have step : (forall _ : 'I_1, lsent Rops J (reader (map vlayer ls) (vlayer out) k)
    (lforward Rops (take k.+1 (map vlayer ls)) (multiple R s x)) = map value v)
  <-> sent_at zs J k x = u.
  rewrite sE (oversP R sc_gt0 uE); split=> [same|-> //].
  by apply: (multiple_inj (R := R) sc_gt0); exact: (same ord0).
apply: iff_trans step _.
have -> : sent_at zs J k x = [seq zdot Z0 w [seq zrelu a
    | a <- zaffine (mask J (nth [::] zs k)) (zforward (take k zs) x)]
    | w <- [seq mask J wb.1 | wb <- nth [::] zs k.+1]].
  rewrite /sent_at /zsent zforwardS ?(ltnW k_z) // -map_comp; apply: eq_map => wb /=.
  by rewrite /zaffine -!map_mask.
by have := Bool.eqb_prop _ _ ok; move=> <-; split=> [/zsameP|/zsameP].
Qed.

End Rows.

End Correct.
