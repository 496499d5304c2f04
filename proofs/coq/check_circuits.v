(******************************************************************************)
(* Checkers of circuits of deep nets that may lie in several hidden layers,   *)
(* in the words of c2_deep.v. A circuit is a list of Booleans for each hidden *)
(* layer; what it sends is a list of numbers for each layer above the inputs. *)
(*                                                                            *)
(* lreceived K ls o Js h == what each unit above receives from the circuit    *)
(*                   Js, layer by layer, where K is its part among the        *)
(*                   values h of the lowest layer                             *)
(*     selects ls o Js vs == Js and vs have an entry for each unit            *)
(* check_idle_deep, check_fires_deep == the circuit is train-idle at vs, or   *)
(*                   fires at x as well                                       *)
(* check_off_deep == two nets of one architecture differ in nothing but the   *)
(*                   circuit's parameters and the biases of layers that read  *)
(*                   it                                                       *)
(* params_of R m k ws ls o == the net of the architecture ws with the layers  *)
(*                   ls and the output layer o                                *)
(* biases_deep K p p' J == biases of units outside J differ only in layers    *)
(*                   above one in which there are units of the circuit        *)
(******************************************************************************)
From Coq Require Import QArith.
From mathcomp Require Import all_ssreflect all_algebra ssrZ.
From absence Require Import net compute check_nets check_deep c2_deep check_chains check_last_layer.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.

Local Notation llayer := check_deep.layer.

Section Lists.

Variable T : Type.

Definition outside (J : seq bool) (s : seq T) := mask (map negb J) s.

Lemma outside_same J (u v : seq T) t : size J = size u -> size J = size v ->
  (outside J u = outside J v
   <-> forall i, (i < size u)%N -> ~~ nth false J i -> nth t u i = nth t v i).
Proof.
elim: J u v => [|b J IH] [|a u] [|c v] //= [J_u] [J_v].
have {}IH := IH _ _ J_u J_v; case: b => /=.
  split=> [/IH same [|i]|same]; [by []|exact: same|].
  by apply/IH => i i_u iJ; apply: (same i.+1).
split=> [[-> /IH same] [|i] //|same]; first exact: same.
by have /= -> := same 0%N isT isT; congr cons; apply/IH => i i_u iJ; apply: (same i.+1).
Qed.

End Lists.

Fixpoint lreceived (K : seq bool) (ls : seq (llayer Q)) (out : llayer Q) (Js : seq (seq bool))
    (h : seq Q) : seq (seq Q) :=
  match ls, Js with
  | l :: ls', J :: Js' =>
    lsent Qops K l h :: lreceived J ls' out Js' (map (orelu Qops) (laffine Qops l h))
  | _, _ => [:: lsent Qops K out h]
  end.

Fixpoint selects (ls : seq (llayer Q)) (out : llayer Q) (Js : seq (seq bool)) (vs : seq (seq Q)) :=
  match ls, Js, vs with
  | [::], [::], [:: v] => size v == size out
  | l :: ls', J :: Js', v :: vs' =>
    [&& size J == size l, size v == size l & selects ls' out Js' vs']
  | _, _, _ => false
  end.

(* Units of the circuit may receive what they like.                           *)
Fixpoint lreceives (Js : seq (seq bool)) (us vs : seq (seq Q)) : bool :=
  match us, vs with
  | [::], [::] => true
  | u :: us', v :: vs' =>
    (if Js is J :: _ then lsame (outside J u) (outside J v) else lsame u v)
    && lreceives (behead Js) us' vs'
  | _, _ => false
  end.

Definition sends_deep ls out Js vs z := lreceives Js (lreceived [::] ls out Js z) vs.

Definition check_idle_deep (d m N : nat) ls out zs Js vs :=
  [&& linked d ls out, size out == m, sized d N zs, selects ls out Js vs
    & all (sends_deep ls out Js vs) zs].

Definition check_fires_deep (d m N : nat) ls out zs Js vs x :=
  [&& check_idle_deep d m N ls out zs Js vs, size x == d & ~~ sends_deep ls out Js vs x].

(* Above no unit of the circuit the biases stay too.                          *)
Definition same_outside (K J : seq bool) (l l' : llayer Q) :=
  [&& size l == size l', size J == size l
    & all (fun p => p.1 ||
        [&& size p.2.1.1 == size K, size p.2.2.1 == size K,
            lsame (outside K p.2.1.1) (outside K p.2.2.1)
          & has id K || Qeq_bool p.2.1.2 p.2.2.2]) (zip J (zip l l'))].

Fixpoint off_layers (K : seq bool) ls ls' (out out' : llayer Q) (Js : seq (seq bool)) : bool :=
  match ls, ls', Js with
  | [::], [::], [::] => same_outside K (nseq (size out) false) out out'
  | l :: ls1, l' :: ls1', J :: Js' => same_outside K J l l' && off_layers J ls1 ls1' out out' Js'
  | _, _, _ => false
  end.

Definition check_off_deep (d m : nat) ls ls' out out' Js :=
  [&& linked d ls out, linked d ls' out', size out == m
    & off_layers (nseq d false) ls ls' out out' Js].

Local Open Scope ring_scope.

Section Deep.

Variable R : realFieldType.
Local Notation Rops := (Rops R).
Local Notation ratio := (ratio R).
Local Notation qlayer := (qlayer R).

Lemma lsameE u v : lsame u v <-> map ratio u = map ratio v.
Proof. by rewrite -(lsameP R); split=> /eqP. Qed.

Lemma sendsE m K k ls out Js vs h : linked k ls out -> size out = m ->
    selects ls out Js vs -> size h = k ->
  idle_deep (members k K) (chain m k (map qlayer ls) (qlayer out))
    (circuits (map size (map qlayer ls)) Js)
    (receives m (map size (map qlayer ls)) (map (map ratio) vs))
    (fun _ : 'I_1 => rvec k (map ratio h))
  <-> lreceives Js (lreceived K ls out Js h) vs.
Proof.
elim: ls K k Js vs h => [|l ls IH] K k [|J Js] [|v vs] h //=.
  case: vs => [|//] fit out_m /eqP v_n h_k; rewrite andbT; split=> [idle|/lsameE same].
    apply/lsameE/(@eq_from_nth _ 0) => [|i]; rewrite !size_map ?v_n // => i_out.
    have := idle ord0 (cast_ord out_m (Ordinal i_out)).
    by rewrite (sent_rvec (ly := qlayer out)) ?fan_in_q ?size_map // lsent_q mxE.
  move=> _ i; rewrite (sent_rvec (ly := qlayer out)) ?fan_in_q ?size_map //.
  by rewrite lsent_q mxE same.
case/andP=> l_k ls_l out_m /and3P[/eqP J_l /eqP v_l sel] h_k.
have l_k' : fan_in k (qlayer l) by rewrite fan_in_q.
have h_k' : size (map ratio h) = k by rewrite size_map.
rewrite (layer_rvec l_k' h_k') laffine_q relu_q.
have {}IH := IH J (size (qlayer l)) Js vs (map (orelu Qops) (laffine Qops l h)).
rewrite !size_map in IH; have {}IH := IH ls_l out_m sel erefl.
have J_s : size J = size (map ratio (lsent Qops K l h)) by rewrite !size_map.
have J_v : size J = size (map ratio v) by rewrite size_map J_l.
have := outside_same 0 J_s J_v; rewrite /outside -!map_mask => same.
split=> [[here rest]|/andP[/lsameE here rest]].
  apply/andP; split; last by move: rest; rewrite size_map => /IH.
  apply/lsameE/same => i; rewrite !size_map => i_l iJ.
  have i_l' : (i < size (qlayer l))%N by rewrite size_map.
  have := here ord0 (Ordinal i_l'); rewrite inE => /(_ iJ).
  by rewrite (sent_rvec (ly := qlayer l)) // lsent_q mxE.
split=> [_ i iJ|]; last by rewrite size_map; apply/IH.
rewrite (sent_rvec (ly := qlayer l)) // lsent_q mxE.
move/same: here; apply; last by move: iJ; rewrite inE.
by apply: leq_trans (ltn_ord i) _; rewrite !size_map.
Qed.

Section Circuit.

Variables (d m N : nat) (ls : seq (llayer Q)) (out : llayer Q) (zs : seq (seq Q)).
Variables (Js : seq (seq bool)) (vs : seq (seq Q)).
Let p := chain m d (map qlayer ls) (qlayer out).
Let ws := map size (map qlayer ls).
Let J := circuits ws Js.
Let v := receives m ws (map (map ratio) vs).

Theorem C2_check_idle_deep :
  check_idle_deep d m N ls out zs Js vs -> idle_deep set0 p J v (points R d N zs).
Proof.
case/and5P=> fit /eqP out_m zs_d sel /all_nthP same; apply: idle_each => e.
rewrite -(members_nil d) /points vec_rvec; apply/sendsE; rewrite ?(sized_nth zs_d) //.
by apply: same; have /andP[/eqP -> _] := zs_d.
Qed.

Theorem C2_check_fires_deep x : check_fires_deep d m N ls out zs Js vs x ->
  fires_deep p J v (points R d N zs) (vec R d x).
Proof.
case/and3P=> ok /eqP x_d /negP off; split; first exact: C2_check_idle_deep.
have /and5P[fit /eqP out_m _ sel _] := ok.
by rewrite -(members_nil d) vec_rvec => /(sendsE _ fit out_m sel x_d).
Qed.

End Circuit.

Fixpoint params_of m k ws (ls : seq (llayer R)) (out : llayer R) : params R m k ws :=
  match ws return params R m k ws with
  | [::] => (wmx k m out, bmx m out)
  | l :: ws' => (wmx k l (head [::] ls), bmx l (head [::] ls), params_of m l ws' (behead ls) out)
  end.

Lemma params_of_chain m k ls out : params_of m k (map size ls) ls out = chain m k ls out.
Proof. by elim: ls k => [|l ls IH] k //=; rewrite IH. Qed.

Fixpoint biases_deep m k ws (K : {set 'I_k}) :
    params R m k ws -> params R m k ws -> circ ws -> Prop :=
  match ws return params R m k ws -> params R m k ws -> circ ws -> Prop with
  | [::] => fun p p' _ => K = set0 -> p'.2 = p.2
  | l :: ws' => fun p p' J =>
      (K = set0 -> forall i, i \notin J.1 -> p'.1.2 0 i = p.1.2 0 i) /\
      biases_deep J.1 p.2 p'.2 J.2
  end.

Lemma same_outsideP k l K J ly ly' : same_outside K J ly ly' -> size K = k -> size ly = l ->
  [/\ size ly' = l, size J = l,
      forall r (i : 'I_l), r \notin members k K -> i \notin members l J ->
        wmx k l (qlayer ly') r i = wmx k l (qlayer ly) r i
    & members k K = set0 -> forall i : 'I_l, i \notin members l J ->
        bmx l (qlayer ly') 0 i = bmx l (qlayer ly) 0 i].
Proof.
case/and3P=> /eqP ly_ly' /eqP J_ly /(all_nthP (true, (lrow0, lrow0))) same K_k ly_l.
have ly'_l : size ly' = l by rewrite -ly_ly'.
have J_l : size J = l by rewrite J_ly.
have at_i (i : 'I_l) : i \notin members l J ->
    [/\ size (nth lrow0 ly i).1 = k, size (nth lrow0 ly' i).1 = k,
        lsame (outside K (nth lrow0 ly i).1) (outside K (nth lrow0 ly' i).1)
      & has id K || Qeq_bool (nth lrow0 ly i).2 (nth lrow0 ly' i).2].
  rewrite inE => iJ; have := same i.
  rewrite !size_zip J_l ly_l ly'_l !minnn => /(_ (ltn_ord i)).
  rewrite nth_zip ?size_zip ?J_l ?ly_l ?ly'_l ?minnn //= nth_zip ?ly_l ?ly'_l //=.
  rewrite (set_nth_default false) ?J_l // (negbTE iJ) /= K_k.
  by case/and4P=> /eqP-> /eqP-> -> ->.
split=> // [r i rK iJ|K0 i iJ]; have [w_k w'_k w_w' b_b'] := at_i i iJ.
  rewrite !mxE !(nth_map lrow0) ?ly_l ?ly'_l //=.
  have := outside_same (u := map ratio (nth lrow0 ly i).1)
    (v := map ratio (nth lrow0 ly' i).1) (J := K) 0.
  rewrite !size_map w_k w'_k K_k => /(_ erefl erefl)[/(_ _) + _].
  rewrite /outside -!map_mask; move/lsameE: w_w' => -> /(_ erefl) /(_ r (ltn_ord r)) <- //.
  by move: rK; rewrite inE.
rewrite !mxE !(nth_map lrow0) ?ly_l ?ly'_l //=.
move: b_b'; have -> /= : has id K = false; last by move=> /Qeq_bool_iff /(ratio_eq R).
apply/negbTE/negP=> /(has_nthP false)[r r_K Kr].
have r_k : (r < k)%N by rewrite -K_k.
have := in_set0 (Ordinal r_k); rewrite -K0 inE /=.
by rewrite Kr.
Qed.

Lemma members_false k : members k (nseq k false) = set0.
Proof. by apply/setP=> i; rewrite !inE nth_nseq if_same. Qed.

Lemma off_layersP m K k ls ls' out out' Js : off_layers K ls ls' out out' Js ->
    size K = k -> size out = m ->
  let ws := map size (map qlayer ls) in
  let p := params_of m k ws (map qlayer ls) (qlayer out) in
  let p' := params_of m k ws (map qlayer ls') (qlayer out') in
  [/\ map size (map qlayer ls') = ws,
      off_deep (members k K) p p' (circuits ws Js)
    & biases_deep (members k K) p p' (circuits ws Js)].
Proof.
elim: ls K k ls' Js => [|l ls IH] K k [|l' ls'] [|J Js] //= same K_k out_m.
  have [_ _ ws bs] := same_outsideP same K_k out_m.
  rewrite out_m members_false in ws bs.
split=> // [r i rK|K0]; first by apply: ws => //; rewrite inE.
  by apply/rowP=> i; apply: bs => //; rewrite inE.
case/andP: same => here rest; have l_n : size l = size (qlayer l) by rewrite size_map.
have [l'_n J_n ws bs] := same_outsideP here K_k l_n.
have [-> off bias] := IH _ _ _ _ rest J_n out_m.
by split=> //; rewrite -l'_n size_map.
Qed.

Theorem C2_check_off_deep d m ls ls' out out' Js :
    check_off_deep d m ls ls' out out' Js ->
  let ws := map size (map qlayer ls) in
  let p := params_of m d ws (map qlayer ls) (qlayer out) in
  let p' := params_of m d ws (map qlayer ls') (qlayer out') in
  [/\ map size (map qlayer ls') = ws, off_deep set0 p p' (circuits ws Js)
    & biases_deep set0 p p' (circuits ws Js)].
Proof.
case/and4P=> _ _ /eqP out_m /off_layersP H.
by have := H m d; rewrite size_nseq members_false => /(_ erefl out_m).
Qed.

End Deep.
