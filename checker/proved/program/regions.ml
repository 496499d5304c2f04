(* Facts about circuits on a box of inputs, put to the checkers that Coq extracted. What is here reads: it decides
   nothing. Of a tree of cases no more is read at a time than the way to one part of the box. *)

module I = Z

open Absence_checkers
open Facts

(* A net in integers: its hidden layers, how many units each has, what comes out, and how many inputs there are. *)
type chain = { inner : zlayer list; out : zlayer; sizes : int array; d : nat; m : nat }

let chain ls =
  let count = List.length ls - 1 in
  if count < 1 then malformed "no hidden layer";
  let ready = List.map integers ls in
  { inner = prefix count ready; out = List.nth ready count;
    sizes = Array.of_list (List.map List.length ls);
    d = (match ls with ((w, _) :: _) :: _ -> size w | _ -> raise (Left "a layer without units"));
    m = size (List.nth ls count) }

(* Only text is a number here, as in the other checker. *)
let rational value = ignore (text value); number value
let optional form = function Json.Null -> None | value -> Some (form value)

let pair entry = match List.map whole (list entry) with [ one; other ] -> (one, other) | _ -> malformed "no pair"
let triple entry = match list entry with
  | [ l; j; value ] -> ((whole l, whole j), rational value)
  | _ -> malformed "no triple"

type question = { box : (q * q) list; choice : bool list list; gets : q list list; depth : int }

(* A circuit as a choice of units in each hidden layer; what is stated of the units that read it, and of no others. *)
let question chain fact =
  let height = Array.length chain.sizes in
  let require (l, j) =
    if l < 1 || l >= height || j < 0 || j >= chain.sizes.(l - 1) then malformed "no hidden unit" in
  let chosen = List.map pair (list (get "circuit" fact)) and values = List.map triple (list (get "value" fact)) in
  List.iter require chosen;
  if chosen = [] || not (no_twice (List.map fst values)) then malformed "no circuit, or a reader stands twice";
  let reads l j = List.exists (fun (at, _) -> at = l - 1) chosen && not (List.mem (l, j) chosen) in
  let count = ref 0 in
  let value l j =
    if not (reads l j) then q0
    else match List.assoc_opt (l, j) values with
      | Some found -> incr count; found
      | None -> malformed "a reader has no value" in
  let at_each top make = List.init top (fun k -> List.init chain.sizes.(k) (make (k + 1))) in
  let gets = at_each height value in
  if !count <> List.length values then malformed "a value of no reader";
  let low = List.map rational (list (get "low" fact)) and high = List.map rational (list (get "high" fact)) in
  { box = List.combine low high; choice = at_each (height - 1) (fun l j -> List.mem (l, j) chosen); gets;
    depth = List.fold_left (fun most (l, _) -> max most l) 0 chosen }

(* The cases of a tree; `beyond` is asked at each whether there is time left. *)
let cases chain depth beyond =
  let inputs = Facts.int_of_nat chain.d in
  let located (l, j) =
    if l < 1 || l > depth || j < 0 || j >= chain.sizes.(l - 1) then malformed "no unit of the question";
    (l - 1, j) in
  let spot one = let k, j = located one in (nat k, nat j) in
  let dual l given =
    let beneath name = List.map (fun entry ->
        let at, value = triple entry in
        let k, j = located at in
        if k >= l then malformed "a multiplier of a unit that is not below";
        ((k, j), value)) (list (get name given)) in
    let table = Array.init l (fun k -> Array.make chain.sizes.(k) (None, None)) in
    List.iter (fun ((k, j), a) -> table.(k).(j) <- (Some a, None)) (beneath "alpha");
    List.iter (fun ((k, j), b) -> table.(k).(j) <- (fst table.(k).(j), Some b)) (beneath "beta");
    List.map Array.to_list (Array.to_list table) in
  let rec node case = after case (if has "bounds" case then list (get "bounds" case) else [])
  and after case lines =
    beyond ();
    match lines with
    | line :: more ->
      let bound l j low high slope duals =
        let k, j = located (whole l, whole j) in
        Bounded (nat k, nat j, optional rational low, optional rational high, rational slope, duals k,
                 fun _ -> after case more) in
      (match list line with
       | [ l; j; low; high; slope ] -> bound l j low high slope (fun _ -> [])
       | [ l; j; low; high; slope; given ] -> bound l j low high slope (fun k -> dual k given)
       | _ -> malformed "a bound has five or six entries")
    | [] -> ends case
  and ends case =
    let half one other second = node (get (if second then one else other) case) in
    if has "cut" case then
      match list (get "cut" case) with
      | [ i; at ] when 0 <= whole i && whole i < inputs -> Halved (nat (whole i), rational at, half "high" "low")
      | _ -> malformed "no cut"
    else if has "split" case then
      let k, j = spot (pair (get "split" case)) in
      Signed (k, j, half "on" "off")
    else match text (get "leaf" case) with
      | "constant" -> Flat
      | "empty" -> let k, j = spot (pair (get "unit" case)) in Empty (k, j)
      | "thin" ->
        Thin (List.map (fun entry -> let at, value = triple entry in (spot at, value)) (list (get "multipliers" case)))
      | _ -> malformed "a leaf is not closed" in
  node

let irrelevant chain beyond fact =
  known [ "kind"; "net"; "circuit"; "low"; "high"; "value"; "tree" ] fact;
  let about = question chain fact in
  check_region chain.d chain.m chain.inner chain.out about.box about.choice about.gets
    (cases chain about.depth beyond (get "tree" fact))

let relevant chain fact =
  known [ "kind"; "net"; "circuit"; "low"; "high"; "value"; "input" ] fact;
  let about = question chain fact in
  check_acts chain.d chain.m chain.inner chain.out about.box about.choice about.gets
    (List.map rational (list (get "input" fact)))

(* Facts with a net of their own. *)
let own fact = chain (List.map affine (list (get "net" fact)))
let kinds = [
  "irrelevant-region", (fun fact -> irrelevant (own fact) ignore fact);
  "relevant-at", (fun fact -> relevant (own fact) fact);
]

(* The number m 2^e / q. *)
let ratio { mantissa; exponent; divisor } =
  let e = I.to_int exponent in
  if e >= 0 then { qnum = I.shift_left mantissa e; qden = divisor }
  else { qnum = mantissa; qden = I.shift_left divisor (-e) }

(* Facts about the net of a folder. *)
let answers ls beyond facts =
  let ready = lazy (chain (List.map (List.map (fun (w, b) -> (List.map ratio w, ratio b))) ls)) in
  let about fact check = if has "net" fact then malformed "another net" else check (Lazy.force ready) fact in
  let one fact = match text (get "kind" fact) with
    | "irrelevant-region" -> about fact (fun net -> irrelevant net (fun () -> beyond 0.))
    | "relevant-at" -> about fact relevant
    | _ -> raise (Left "another kind") in
  List.map (fun fact -> answer (fun () -> one fact)) facts
