(******************************************************************************)
(* Losses of nets of any depth on the rows of an audit, in integers. A row is *)
(* asked for by its number; so no more than one is in memory. What is         *)
(* accepted holds in the words of net.v and c2_deep.v.                        *)
(*                                                                            *)
(* at_most x y == x <= y; plus x y is their sum                               *)
(*   zoutput zs h == the outputs of the layers zs at h: no relu is last       *)
(* zsquares k acc v y == acc + |2^k v - y|^2                                  *)
(* zsum f i n acc == acc + the sum of f at the n numbers from i on, if f has  *)
(*             a value at each                                                *)
(* mean_error s es k d m ls out N get targets == the loss of a net, if it     *)
(*             fits the data; s and es are scales of the rows and of the      *)
(*             layers, and the targets are integers in that of the outputs    *)
(*             divided by 2^k: all of these are hints                         *)
(*    check_error == it is between two numbers                                *)
(* falls before after low high == a loss falls by what is between two numbers *)
(* reused J w b hidden == the layer with the unit (w, b) in the place of the  *)
(*             first of the units J                                           *)
(* rewired J a c out == the outputs that read a from it, and from J nothing   *)
(*             else, with biases c                                            *)
(*   check_reused == the net with these two layers has a loss that is lower   *)
(* loss_of R d m N get targets ls out == the loss in the words of net.v       *)
(******************************************************************************)
From Coq Require Import QArith Lia.
From mathcomp Require Import all_ssreflect all_algebra ssrZ ring.
From absence Require Import net compute check_nets check_deep c2_deep check_chains check_integers
  check_rough check_audits.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.

Local Notation llayer := check_deep.layer.

Definition positive (x : number) := Z.ltb Z0 (divisor x).

Definition at_most (x y : number) : bool :=
  let e := Z.min (exponent x) (exponent y) in
  [&& positive x, positive y
    & Z.leb (Z.mul (Z.shiftl (mantissa x) (Z.sub (exponent x) e)) (divisor y))
            (Z.mul (Z.shiftl (mantissa y) (Z.sub (exponent y) e)) (divisor x))].

Definition plus (x y : number) : number :=
  let e := Z.min (exponent x) (exponent y) in
  Number (Z.add (Z.mul (Z.shiftl (mantissa x) (Z.sub (exponent x) e)) (divisor y))
                (Z.mul (Z.shiftl (mantissa y) (Z.sub (exponent y) e)) (divisor x)))
    e (Z.mul (divisor x) (divisor y)).

Fixpoint zoutput (zs : seq (llayer Z)) (h : seq Z) : seq Z :=
  match zs with
  | [::] => h
  | l :: zs' => if zs' is [::] then zaffine l h else zoutput zs' (map zrelu (zaffine l h))
  end.

Fixpoint zsquares (k acc : Z) (v y : seq Z) : Z :=
  match v, y with
  | a :: v', b :: y' =>
    let r := Z.sub (Z.shiftl a k) b in zsquares k (Z.add acc (Z.mul r r)) v' y'
  | _, _ => acc
  end.

Fixpoint zsum (f : Z -> option Z) (i : Z) (n : nat) (acc : Z) : option Z :=
  if n is n'.+1 then
    if f i is Some a then zsum f (Z.succ i) n' (Z.add acc a) else None
  else Some acc.

(* The scale of the outputs, with k more binary digits.                       *)
Definition finer (s : scale) (es : seq scale) (k : Z) :=
  let t := scale_at s es in Scale (Z.sub (power t) k) (under t).

Definition error_at (d m : nat) (s r : scale) (k : Z) (zs : seq (llayer Z))
    (get targets : Z -> seq number) (i : Z) : option Z :=
  match overs s (get i), overs r (targets i) with
  | Some x, Some y =>
    if (size x == d) && (size y == m) then Some (zsquares k Z0 (zoutput zs x) y) else None
  | _, _ => None
  end.

Definition mean_error (s : scale) (es : seq scale) (k : Z) (d m : nat) (ls : seq (llayer number))
    (out : llayer number) (N : nat) (get targets : Z -> seq number) : option number :=
  if [&& proper s, linked d ls out, size out == m, (0 < N)%N & Z.leb Z0 k] then
    if over_layers s es (rcons ls out) is Some zs then
      let r := finer s es k in
      if zsum (error_at d m s r k zs get targets) Z0 N Z0 is Some e then
        Some (Number e (Z.add (power r) (power r))
                (Z.mul (Z.of_nat N) (Z.mul (under r) (under r))))
      else None
    else None
  else None.

Definition check_error s es k (d m : nat) ls out N get targets (low high : number) : bool :=
  if mean_error s es k d m ls out N get targets is Some e then at_most low e && at_most e high
  else false.

(* How much lower the loss of another net is, which has its own scales.       *)
Definition falls (before after low high : number) : bool :=
  [&& positive low, positive high, Z.ltb Z0 (mantissa low), at_most (plus low after) before
    & at_most before (plus high after)].

(* A float of 24 digits, or of 53, as IEEE has them.                          *)
Section Floats.

Local Open Scope Z_scope.

Variable single : bool.

Definition is_float (x : number) : bool :=
  let m := Z.abs (mantissa x) in
  let digits := if single then 24 else 53 in
  let least := if single then -149 else -1074 in
  let most := if single then 128 else 1024 in
  [&& Z.eqb (divisor x) 1, Z.ltb m (Z.shiftl 1 digits)
    & Z.eqb m 0 || (Z.leb least (exponent x)
                    && Z.ltb m (Z.shiftl 1 (Z.sub most (exponent x))))].

End Floats.

Definition float_layer single (l : llayer number) : bool :=
  all (fun wb : seq number * number => all (is_float single) wb.1 && is_float single wb.2) l.

Definition nought := Number Z0 Z0 (Zpos 1).

Definition reused (J : seq bool) (w : seq number) (b : number) (hidden : llayer number) :=
  set_nth ([::], nought) hidden (find id J) (w, b).

Definition unread_row (J : seq bool) (w : seq number) :=
  [seq if p.1 then nought else p.2 | p <- zip J w].

Definition rewired (J : seq bool) (a c : seq number) (out : llayer number) : llayer number :=
  [seq (set_nth nought (unread_row J p.1.1) (find id J) p.2.1, p.2.2)
  | p <- zip out (zip a c)].

Definition check_reused s es k s' es' k' (single : bool) (d m : nat) (below : seq (llayer number))
    (hidden out : llayer number) (J : seq bool) (w : seq number) (b : number)
    (a c : seq number) N get targets (low high : number) : bool :=
  if [&& size J == size hidden, has id J, size a == m, size c == m,
         all (float_layer single) (below ++ [:: hidden; out])
       & all (is_float single) (b :: w ++ a ++ c)] then
    match mean_error s es k d m (rcons below hidden) out N get targets,
          mean_error s' es' k' d m (rcons below (reused J w b hidden)) (rewired J a c out)
            N get targets with
    | Some before, Some after => falls before after low high
    | _, _ => false
    end
  else false.

Local Open Scope ring_scope.

Section Numbers.

Variable R : realFieldType.
Local Notation value := (value R).
Local Notation zr := (zr R).
Local Notation two := (two R).

Lemma zr_nat n : zr (Z.of_nat n) = n%:R.
Proof. by rewrite /check_integers.zr -[Z.of_nat n]/(Z_of_int (Posz n)) Z_of_intK. Qed.

Lemma zr_neq0 a : Z.ltb Z0 a -> zr a != 0.
Proof. by move=> a_gt0; rewrite gt_eqF // zr_gt0. Qed.

Lemma zr_shiftl a k : Z.le Z0 k -> zr (Z.shiftl a k) = zr a * two k.
Proof. by move=> k0; rewrite Z.shiftl_mul_pow2 // zrM zr_pow. Qed.

Lemma valueE x e : Z.le e (exponent x) ->
  value x = two e * (zr (Z.shiftl (mantissa x) (Z.sub (exponent x) e)) / zr (divisor x)).
Proof.
move=> e_x; rewrite zr_shiftl; last lia.
rewrite /check_integers.value; have -> : two (exponent x) = two (Z.sub (exponent x) e) * two e.
  by rewrite -twoD; congr two; lia.
by move: (zr _) (two _) (two e) (zr _)^-1 => a b c q; ring.
Qed.

Lemma at_mostP x y : at_most x y -> value x <= value y.
Proof.
case/and3P=> x0 y0; rewrite -(zr_le R) !zrM => le_xy.
rewrite (@valueE x (Z.min (exponent x) (exponent y))); last lia.
rewrite (@valueE y (Z.min (exponent x) (exponent y))); last lia.
rewrite ler_pM2l ?two_gt0 // ler_pdivrMr ?zr_gt0 // mulrAC ler_pdivlMr ?zr_gt0 //.
Qed.

Lemma plusP x y : positive x -> positive y -> value (plus x y) = value x + value y.
Proof.
move=> x0 y0; have := zr_neq0 x0; have := zr_neq0 y0.
rewrite (@valueE x (Z.min (exponent x) (exponent y))); last lia.
rewrite (@valueE y (Z.min (exponent x) (exponent y))); last lia.
rewrite {1}/check_integers.value /= zrD !zrM.
move: (zr _) (zr (divisor x)) (zr (Z.shiftl (mantissa y) _)) (zr (divisor y)) (two _) => a p b q t q0 p0.
by rewrite -mulrDr addf_div // mulrAC mulrC.
Qed.

End Numbers.

Section Sums.

Variables (R : realFieldType) (f : Z -> option Z).

Lemma zsumP n t : zsum f Z0 n Z0 = Some t ->
  (forall i : 'I_n, f (Z.of_nat i))
  /\ zr R t = \sum_(i < n) zr R (odflt Z0 (f (Z.of_nat i))).
Proof.
have gen k acc : zsum f (Z.of_nat k) n acc = Some t ->
    (forall i : 'I_n, f (Z.of_nat (k + i)))
    /\ zr R t = zr R acc + \sum_(i < n) zr R (odflt Z0 (f (Z.of_nat (k + i)))).
  elim: n k acc => [|n IH] k acc /=.
    by move=> [->]; rewrite big_ord0 addr0; split=> [[]|].
  case fk: (f (Z.of_nat k)) => [a|//]; rewrite -Nat2Z.inj_succ => /IH[all_f ->]; split=> [i|].
    case: (unliftP ord0 i) => [j|] -> /=; first by rewrite -addSnnS all_f.
    by rewrite addn0 fk.
  rewrite big_ord_recl /= addn0 fk /= zrD addrA; congr (_ + _).
  by apply: eq_bigr => i _; rewrite -addSnnS.
by move=> /(gen 0%N); rewrite zr0 add0r.
Qed.

End Sums.

Section Correct.

Variable R : realFieldType.
Local Notation value := (value R).
Local Notation vlayer := (value_layer R).
Local Notation Rops := (Rops R).

Lemma zoutput_rcons zs l h : zoutput (rcons zs l) h = zaffine l (zforward zs h).
Proof.
by elim: zs h => [//|a zs IH] h; rewrite rcons_cons /= IH; case: (zs).
Qed.

Variables (d m : nat) (ls : seq (llayer number)) (out : llayer number).

Section Scaled.

Variables (s : scale) (es : seq scale) (zs : seq (llayer Z)).
Hypotheses (s_gt0 : proper s) (fit : linked d ls out) (out_m : size out = m).
Hypothesis zsE : over_layers s es (rcons ls out) = Some zs.

Lemma output_lists x : lchain Rops (map vlayer ls) (vlayer out) (multiple R s x)
    = multiple R (scale_at s es) (zoutput zs x) /\ proper (scale_at s es).
Proof.
have [zs_n es_n same] := over_layersP R s_gt0 zsE; rewrite size_rcons in zs_n es_n.
have [|low low_gt0] := same x (size ls); first by rewrite size_rcons.
have [|e_gt0 t_gt0] := scaled_nth R s_gt0 zsE (_ : size ls < _)%N; first by rewrite size_rcons.
rewrite map_rcons nth_rcons size_map ltnn eqxx => topE.
have esE : scale_at s es = times (nth (Scale Z0 Z0) es (size ls)) (scale_at s (take (size ls) es)).
  by rewrite -[in LHS](take_size es) es_n (take_nth (Scale Z0 Z0)) ?es_n // /scale_at foldl_rcons.
have zsR : zs = rcons (take (size ls) zs) (nth [::] zs (size ls)).
  by rewrite -take_nth ?zs_n // -zs_n take_size.
rewrite esE; split; last exact: proper_times.
rewrite [in RHS]zsR zoutput_rcons /lchain topE.
rewrite map_rcons -cats1 takel_cat ?size_map // -{1}(size_map vlayer ls) take_size in low.
by rewrite low affineP.
Qed.

Lemma outputE x : size x = d ->
  c2_deep.out (chain m d (map vlayer ls) (vlayer out)) (rvec d (multiple R s x))
  = rvec m (multiple R (scale_at s es) (zoutput zs x)).
Proof.
move=> x_d; rewrite (out_chain (m := m)) ?size_map //; last by rewrite linked_value.
by rewrite (output_lists x).1.
Qed.

Lemma size_zoutput x : size (zoutput zs x) = m.
Proof.
have := congr1 size (output_lists x).1; rewrite /lchain /laffine /multiple !size_map => <-.
exact: out_m.
Qed.

End Scaled.

Lemma rvec_multiple n (t : scale) v (i : 'I_n) :
  rvec n (multiple R t v) 0 i = size_of R t * zr R (nth Z0 v i).
Proof.
rewrite mxE; have [i_v|v_i] := ltnP i (size v); first by rewrite (nth_map Z0).
by rewrite !nth_default ?size_map // zr0 mulr0.
Qed.

Lemma zsquaresE k acc v y n : size v = n -> size y = n ->
  zr R (zsquares k acc v y) = zr R acc
    + \sum_(i < n) (zr R (Z.shiftl (nth Z0 v i) k) - zr R (nth Z0 y i)) ^+ 2.
Proof.
elim: v y n acc => [|a v IH] [|b y] n acc /= <- // => [_|[y_v]].
  by rewrite big_ord0 addr0.
rewrite (IH _ (size v)) // big_ord_recl zrD zrM -addrA; congr (_ + (_ + _)).
by rewrite -[Z.sub _ _]/(Z.add _ (Z.opp _)) zrD zrN expr2.
Qed.

Lemma size_finer s es k : size_of R (scale_at s es) = size_of R (finer s es k) * two R k.
Proof.
rewrite /size_of /finer /= mulrAC -twoD; congr (_ / _); congr two; lia.
Qed.

Lemma squared_error s es k v y : size v = m -> size y = m -> Z.le Z0 k ->
  normsq (rvec m (multiple R (scale_at s es) v) - rvec m (multiple R (finer s es k) y))
  = size_of R (finer s es k) ^+ 2 * zr R (zsquares k Z0 v y).
Proof.
move=> v_m y_m k0; rewrite (zsquaresE _ _ v_m y_m) zr0 add0r mulr_sumr.
apply: eq_bigr => i _; rewrite coordB !rvec_multiple (size_finer _ _ k) zr_shiftl //.
by move: (size_of _ _) (zr _ _) (zr _ _) (two _ _) => t a b e; ring.
Qed.

Section Rows.

Variables (N : nat) (get targets : Z -> seq number).

(* The data, and the loss of a net on them in the words of net.v.             *)
Definition inputs (i : 'I_N) : 'rV[R]_d := zrow R d get (Z.of_nat i).
Definition wanted (i : 'I_N) : 'rV[R]_m := zrow R m targets (Z.of_nat i).

Definition loss_of (hs : seq (llayer number)) (o : llayer number) : R :=
  mse inputs wanted (c2_deep.out (chain m d (map vlayer hs) (vlayer o))).

Lemma mean_errorP s es k e : mean_error s es k d m ls out N get targets = Some e ->
  loss_of ls out = value e.
Proof.
rewrite /mean_error; case: ifP => // /and5P[s_gt0 fit /eqP out_m N0 /Z.leb_spec0 k0].
case zsE: over_layers => [zs|//]; case sumE: zsum => [t|//] [<-].
have [all_rows tE] := zsumP R sumE.
have r_gt0 : proper (finer s es k) by have [_] := output_lists s_gt0 zsE [::].
rewrite /loss_of /mse (eq_bigr (fun i : 'I_N => size_of R (finer s es k) ^+ 2 *
  zr R (odflt Z0 (error_at d m s (finer s es k) k zs get targets (Z.of_nat i))))); last first.
  move=> i _; have := all_rows i; rewrite /error_at.
  case xE: overs => [x|//]; case yE: overs => [y|//]; case: ifP => // /andP[/eqP x_d /eqP y_m] _.
  rewrite /inputs /wanted /zrow (oversP R s_gt0 xE) (oversP R r_gt0 yE).
  rewrite -[map _ x]/(multiple R s x) -[map _ y]/(multiple R _ y).
  rewrite (outputE s_gt0 fit out_m zsE x_d) squared_error //.
  exact: (size_zoutput s_gt0 out_m zsE).
rewrite -mulr_sumr -tE /check_integers.value /size_of /= !zrM zr_nat twoD.
have n0 : N%:R != 0 :> R by rewrite pnatr_eq0 -lt0n.
have q0 := zr_neq0 R r_gt0; rewrite /finer /= in q0 *.
rewrite !invfM; move: (two _ _) (zr _ t) (zr _ _)^-1 N%:R^-1 => b a q n; ring.
Qed.

Theorem C5_check_error s es k low high :
  check_error s es k d m ls out N get targets low high ->
  value low <= loss_of ls out <= value high.
Proof.
rewrite /check_error; case E: mean_error => [e|//] /andP[/at_mostP low_e /at_mostP e_high].
by rewrite (mean_errorP E) low_e e_high.
Qed.

End Rows.

End Correct.

Section Falls.

Variable R : realFieldType.

Lemma fallsP before after low high : falls before after low high ->
  [/\ 0 < value R low, value R low <= value R before - value R after
    & value R before - value R after <= value R high].
Proof.
case/and5P=> low0 high0 m_gt0 le_low le_high.
have after0 : positive after.
  have /and3P[/Z.ltb_spec0 /= q0 _ _] := le_low; move/Z.ltb_spec0: low0 => low0.
  by apply/Z.ltb_spec0; nia.
split.
- by rewrite /value divr_gt0 ?zr_gt0 // mulr_gt0 ?two_gt0 ?zr_gt0.
- by have := at_mostP R le_low; rewrite plusP // lerBrDr.
- by have := at_mostP R le_high; rewrite plusP // lerBlDr.
Qed.

Lemma mean_error_fit s es k d m ls out N get targets e :
  mean_error s es k d m ls out N get targets = Some e -> linked d ls out /\ size out = m.
Proof. by rewrite /mean_error; case: ifP => // /and5P[_ fit /eqP out_m _ _] _. Qed.

Lemma linked_top (T : Type) d (below : seq (llayer T)) hidden out :
  linked d (rcons below hidden) out -> fan_in (size hidden) out.
Proof. by elim: below d => [|l ls IH] d /= /andP[_] // /IH. Qed.

Lemma nth_unread_row J w j : size J = size w ->
  nth nought (unread_row J w) j = if nth false J j then nought else nth nought w j.
Proof.
move=> J_w; have [j_w|w_j] := ltnP j (size w).
  by rewrite (nth_map (false, nought)) ?size_zip ?J_w ?minnn // nth_zip.
by rewrite !nth_default ?J_w // size_map size_zip J_w minnn.
Qed.

Theorem C7_check_reused s es k s' es' k' single (d m : nat) below hidden out J w b a c N get targets
    low high :
    check_reused s es k s' es' k' single d m below hidden out J w b a c N get targets low high ->
  let hidden' := reused J w b hidden in
  let out' := rewired J a c out in
  let L := loss_of R d m N get targets (rcons below hidden) out in
  let L' := loss_of R d m N get targets (rcons below hidden') out' in
  [/\ L' < L, value R low <= L - L' <= value R high,
      size hidden' = size hidden /\ size out' = size out
    & forall j, ~~ nth false J j ->
      nth ([::], nought) hidden' j = nth ([::], nought) hidden j
      /\ forall i, nth nought (nth ([::], nought) out' i).1 j
                 = nth nought (nth ([::], nought) out i).1 j].
Proof.
rewrite /check_reused; case: ifP => // /and5P[/eqP J_n J_some /eqP a_m /eqP c_m /andP[_ _]].
case E: mean_error => [before|//]; case F: mean_error => [after|//] /fallsP[low_gt0 le_low le_high] /=.
rewrite (mean_errorP R E) (mean_errorP R F); have [fit out_m] := mean_error_fit E.
have first_J : (find id J < size hidden)%N by rewrite -J_n -has_find.
split.
- by rewrite -subr_gt0 (lt_le_trans low_gt0).
- by rewrite le_low le_high.
- rewrite /reused /rewired size_set_nth size_map !size_zip a_m c_m out_m !minnn.
  by split=> //; apply/maxn_idPr.
move=> j jJ; have first_j : j != find id J by apply: contraNneq jJ => ->; exact: (nth_find false J_some).
split; first by rewrite /reused nth_set_nth /= (negbTE first_j).
move=> i; have [i_m|m_i] := ltnP i m; last first.
  by rewrite !nth_default // ?size_map ?size_zip ?a_m ?c_m out_m ?minnn.
rewrite /rewired (nth_map (([::], nought), (nought, nought))) /=; last first.
  by rewrite !size_zip a_m c_m out_m !minnn.
rewrite nth_zip /=; last by rewrite size_zip a_m c_m out_m minnn.
rewrite nth_set_nth /= (negbTE first_j) nth_unread_row ?(negbTE jJ) //.
have /all_nthP reads := linked_top fit.
by rewrite J_n; apply/esym/eqP; apply: (reads ([::], nought) i); rewrite out_m.
Qed.

End Falls.
