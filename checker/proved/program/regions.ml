(* Facts about circuits on a box of inputs, put to the checkers that Coq extracted. What is here reads: it decides
   nothing. Of a tree of cases no more is read at a time than the way to one part of the box. *)

module I = Z

open Absence_checkers
open Facts

(* A net in integers: its hidden layers, how many units each has, what comes out, and how many inputs there are. *)
type chain = { hidden : zlayer list; out : zlayer; widths : int array; d : nat; m : nat }

let chain layers =
  let count = List.length layers - 1 in
  if count < 1 then malformed "no hidden layer";
  let ready = List.map integers layers in
  { hidden = List.filteri (fun k _ -> k < count) ready; out = List.nth ready count;
    widths = Array.of_list (List.map List.length layers);
    d = (match layers with ((w, _) :: _) :: _ -> size w | _ -> raise (Left "a layer without units"));
    m = size (List.nth layers count) }

(* Only text is a number here, as in the other checker. *)
let rational value = ignore (text value); number value
let optional read = function Json.Null -> None | value -> Some (read value)

let pair entry = match List.map whole (list entry) with [ one; other ] -> (one, other) | _ -> malformed "no pair"
let triple entry = match list entry with
  | [ layer; j; value ] -> ((whole layer, whole j), rational value)
  | _ -> malformed "no triple"

type question = { box : (q * q) list; circuit : bool list list; sent : q list list; depth : int }

let distinct places = List.length (List.sort_uniq compare places) = List.length places

(* A circuit as a choice of units in each hidden layer; what is stated of the units that read it, and of no others. *)
let question chain fact =
  let last = Array.length chain.widths in
  let hidden (layer, j) =
    if layer < 1 || layer >= last || j < 0 || j >= chain.widths.(layer - 1) then malformed "no hidden unit" in
  let units = List.map pair (list (get "circuit" fact)) and stated = List.map triple (list (get "value" fact)) in
  List.iter hidden units;
  if units = [] || not (distinct (List.map fst stated)) then malformed "no circuit, or a reader stands twice";
  let reads layer j = List.exists (fun (at, _) -> at = layer - 1) units && not (List.mem (layer, j) units) in
  let count = ref 0 in
  let value layer j =
    if not (reads layer j) then q0
    else match List.assoc_opt (layer, j) stated with
      | Some found -> incr count; found
      | None -> malformed "a reader has no value" in
  let at_layers first last make = List.init (last - first + 1) (fun k -> List.init chain.widths.(first + k - 1) (make (first + k))) in
  let sent = at_layers 1 last value in
  if !count <> List.length stated then malformed "a value of no reader";
  let low = List.map rational (list (get "low" fact)) and high = List.map rational (list (get "high" fact)) in
  { box = List.combine low high; circuit = at_layers 1 (last - 1) (fun layer j -> List.mem (layer, j) units); sent;
    depth = List.fold_left (fun most (layer, _) -> max most layer) 0 units }

(* The cases of a tree; `beyond` is asked at each whether there is time left. *)
let cases chain depth beyond =
  let unit (layer, j) =
    if layer < 1 || layer > depth || j < 0 || j >= chain.widths.(layer - 1) then malformed "no unit of the question";
    (layer - 1, j) in
  let place one = let k, j = unit one in (nat k, nat j) in
  let dual layer given =
    let below name = List.map (fun entry ->
        let at, value = triple entry in
        let k, j = unit at in
        if k >= layer then malformed "a multiplier of a unit that is not below";
        ((k, j), value)) (list (get name given)) in
    let table = Array.init layer (fun k -> Array.make chain.widths.(k) (None, None)) in
    List.iter (fun ((k, j), a) -> table.(k).(j) <- (Some a, None)) (below "alpha");
    List.iter (fun ((k, j), b) -> table.(k).(j) <- (fst table.(k).(j), Some b)) (below "beta");
    List.map Array.to_list (Array.to_list table) in
  let rec node tree = after tree (if has "bounds" tree then list (get "bounds" tree) else [])
  and after tree lines =
    beyond ();
    match lines with
    | line :: more ->
      let bound layer j low high slope duals =
        let k, j = unit (whole layer, whole j) in
        Bounded (nat k, nat j, optional rational low, optional rational high, rational slope, duals k,
                 fun _ -> after tree more) in
      (match list line with
       | [ layer; j; low; high; slope ] -> bound layer j low high slope (fun _ -> [])
       | [ layer; j; low; high; slope; given ] -> bound layer j low high slope (fun k -> dual k given)
       | _ -> malformed "a bound has five or six entries")
    | [] -> ends tree
  and ends tree =
    let side one other second = node (get (if second then one else other) tree) in
    if has "cut" tree then
      match list (get "cut" tree) with
      | [ i; at ] when whole i >= 0 -> Halved (nat (whole i), rational at, side "high" "low")
      | _ -> malformed "no cut"
    else if has "split" tree then
      let k, j = place (pair (get "split" tree)) in
      Signed (k, j, side "on" "off")
    else match text (get "leaf" tree) with
      | "constant" -> Flat
      | "empty" -> let k, j = place (pair (get "unit" tree)) in Empty (k, j)
      | "thin" ->
        Thin (List.map (fun entry -> let at, value = triple entry in (place at, value)) (list (get "multipliers" tree)))
      | _ -> malformed "a leaf is not closed" in
  node

let irrelevant chain beyond fact =
  known [ "kind"; "net"; "circuit"; "low"; "high"; "value"; "tree" ] fact;
  let asked = question chain fact in
  check_region chain.d chain.m chain.hidden chain.out asked.box asked.circuit asked.sent
    (cases chain asked.depth beyond (get "tree" fact))

let relevant chain fact =
  known [ "kind"; "net"; "circuit"; "low"; "high"; "value"; "input" ] fact;
  let asked = question chain fact in
  check_acts chain.d chain.m chain.hidden chain.out asked.box asked.circuit asked.sent
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
let answers layers beyond facts =
  let ready = lazy (chain (List.map (List.map (fun (w, b) -> (List.map ratio w, ratio b))) layers)) in
  let about fact check = if has "net" fact then malformed "another net" else check (Lazy.force ready) fact in
  let one fact = match text (get "kind" fact) with
    | "irrelevant-region" -> about fact (fun net -> irrelevant net (fun () -> beyond 0.))
    | "relevant-at" -> about fact relevant
    | _ -> raise (Left "another kind") in
  List.map (fun fact ->
      try if one fact then "accepted" else "refused" with
      | Left _ | Stack_overflow | Out_of_memory -> "left"
      | Json.Malformed _ | Invalid_argument _ | Failure _ | Not_found -> "refused") facts
