(* Facts in JSON, put to the checkers that Coq extracted. What is here only reads: it decides nothing. *)

open Absence_checkers

exception Left of string (* what no checker here decides *)

let malformed what = raise (Json.Malformed what)

let get name = function
  | Json.Record fields ->
    (try List.assoc name fields with Not_found -> malformed ("no field " ^ name))
  | _ -> malformed ("no record with a field " ^ name)

let has name fact = match fact with Json.Record fields -> List.mem_assoc name fields | _ -> false

let known names = function
  | Json.Record fields -> List.iter (fun (name, _) -> if not (List.mem name names) then raise (Left name)) fields
  | _ -> malformed "no record"

(* What was computed, or what is said of a fact about which it cannot be. *)
let attempt compute = try Ok (compute ()) with
  | Left _ | Stack_overflow | Out_of_memory -> Error "left"
  | Json.Malformed _ | Invalid_argument _ | Failure _ | Not_found -> Error "refused"

(* What is said of a fact of an audit. *)
let answer check = match attempt check with Ok true -> "accepted" | Ok false -> "refused" | Error said -> said

let list = function Json.List entries -> entries | _ -> malformed "no list"
let text = function Json.Text words -> words | _ -> malformed "no text"

(* Digits with a sign in front at most: nothing else that Big_int_Z would take. *)
let integer words =
  let digits = match String.length words with
    | 0 -> ""
    | n -> if words.[0] = '-' then String.sub words 1 (n - 1) else words in
  if digits = "" || not (String.for_all (fun c -> '0' <= c && c <= '9') digits) then malformed "no number";
  Big_int_Z.big_int_of_string words

(* An exact number is a text, as the independent checker has it. *)
let number = function
  | Json.Text words ->
    (match String.split_on_char '/' words with
     | [ one ] -> { qnum = integer one; qden = Big_int_Z.unit_big_int }
     | [ one; other ] ->
       let below = integer other in
       if Big_int_Z.sign_big_int below <= 0 then malformed "no denominator";
       { qnum = integer one; qden = below }
     | _ -> malformed "no number")
  | _ -> malformed "no number"

let vector value = List.map number (list value)

let rows value = match List.map vector (list value) with
  | [] -> []
  | first :: more ->
    if List.exists (fun row -> List.compare_lengths row first <> 0) more then malformed "rows of different lengths";
    first :: more

let whole = function Json.Int words -> int_of_string words | _ -> malformed "no whole number"
let nat n =
  let rec up found n = if n <= 0 then found else up (S found) (n - 1) in
  up O n
let rec int_of_nat = function O -> 0 | S n -> 1 + int_of_nat n
let size values = nat (List.length values)
let prefix n many = List.filteri (fun i _ -> i < n) many
let no_twice places = List.length (List.sort_uniq compare places) = List.length places
let width matrix = match matrix with [] -> O | first :: _ -> size first

(* A net: the layers below its last hidden one, the units of that with what reads them, and the output's bias; and its
   layers as they stand. *)
type net = {
  below : q layer list; first : nat; d : nat; m : nat; n : nat; units : q unit0 list; shift : q list; depth : int;
  hidden : q layer list; output : q layer;
}

let rec split = function
  | [ hidden; output ] -> ([], hidden, output)
  | layer :: more -> let below, hidden, output = split more in (layer :: below, hidden, output)
  | [] -> malformed "no hidden layer"

let affine layer =
  let weights = rows (get "weights" layer) and biases = vector (get "bias" layer) in
  if List.length weights <> List.length biases then malformed "a layer has other biases";
  (* Nothing says how many inputs such a layer has. *)
  if weights = [] then raise (Left "layers without units");
  List.combine weights biases

let net value =
  let layers = list value in
  if List.length layers < 2 then raise (Left "nets without a hidden layer");
  let below, hidden, output = split layers in
  let below = List.map affine below and hidden = affine hidden and output = affine output in
  let count = List.length hidden in
  if List.exists (fun (row, _) -> List.length row <> count) output then malformed "the layers do not fit";
  let sent j = List.map (fun (row, _) -> List.nth row j) output in
  let first = match below @ [ hidden ] with ((w, _) :: _) :: _ -> size w | _ -> O in
  { below; first; d = lwidth first below; m = size output; n = nat count;
    units = List.mapi (fun j unit -> (unit, sent j)) hidden; shift = List.map snd output; depth = List.length layers;
    hidden = below @ [ hidden ]; output }

(* What enters the last hidden layer at the inputs, if these and the layers below fit. *)
let features net inputs =
  if not (check_features net.first (size inputs) net.below inputs) then malformed "the layers or inputs do not fit";
  if net.below = [] then inputs else List.map (lforward qops net.below) inputs

(* The units that a circuit selects, in each hidden layer. *)
let selected net value =
  let widths = List.map List.length net.hidden in
  let place entry = match List.map whole (list entry) with
    | [ layer; j ] when layer > 0 && layer < net.depth && j >= 0 && j < List.nth widths (layer - 1) -> (layer, j)
    | _ -> malformed "no hidden unit" in
  let places = List.map place (list value) in
  if places = [] then malformed "an empty circuit";
  List.mapi (fun k width -> List.init width (fun j -> List.mem (k + 1, j) places)) widths

(* Those of the last, if there are no others. *)
let in_last net value = match List.rev (selected net value) with
  | last :: others when List.for_all (fun mask -> not (List.mem true mask)) others -> Some last
  | _ -> None

let circuit net value = match in_last net value with
  | Some last -> last
  | None -> raise (Left "circuits below the last hidden layer")

let sent net chosen inputs = match inputs with
  | [] -> malformed "no input"
  | first :: _ -> lcircuit qops net.m net.units chosen first

let idle_in_last net chosen inputs fires =
  let entering = features net inputs in
  let value = sent net chosen entering in
  match fires with
  | Some at ->
    check_fires net.d net.m net.n (size inputs) net.units net.shift entering chosen value
      (List.hd (features net [ at ]))
  | None -> check_idle net.d net.m net.n (size inputs) net.units net.shift entering chosen value

(* What a circuit of several layers sends is taken from the first input. *)
let idle_in_several net chosen inputs fires =
  let value = match inputs with
    | first :: _ -> lreceived [] net.hidden net.output chosen first
    | [] -> malformed "no input" in
  match fires with
  | Some at -> check_fires_deep net.first net.m (size inputs) net.hidden net.output inputs chosen value at
  | None -> check_idle_deep net.first net.m (size inputs) net.hidden net.output inputs chosen value

let idle fact =
  known [ "kind"; "net"; "circuit"; "inputs"; "fires" ] fact;
  let net = net (get "net" fact) and inputs = rows (get "inputs" fact) and chosen = get "circuit" fact in
  let fires = if has "fires" fact then Some (vector (get "fires" fact)) else None in
  match in_last net chosen with
  | Some last -> idle_in_last net last inputs fires
  | None -> idle_in_several net (selected net chosen) inputs fires

let not_idle fact =
  known [ "kind"; "net"; "circuit"; "inputs" ] fact;
  let net = net (get "net" fact) in
  let chosen = circuit net (get "circuit" fact) and inputs = features net (rows (get "inputs" fact)) in
  check_not_idle net.d net.m net.n (size inputs) net.units net.shift inputs chosen

let no_idle fact =
  known [ "kind"; "net"; "inputs" ] fact;
  let net = net (get "net" fact) in
  if net.depth > 2 || List.length net.units > 12 then raise (Left "deep nets, or more than 12 units");
  let inputs = features net (rows (get "inputs" fact)) in
  check_no_idle net.d net.m net.n (size inputs) net.units net.shift inputs

let agree left right inputs =
  check_same_outputs left.d right.d left.m left.n right.n (size inputs) left.units right.units left.shift right.shift
    (features left inputs) (features right inputs)

let same_outputs fact =
  known [ "kind"; "left"; "right"; "inputs" ] fact;
  agree (net (get "left" fact)) (net (get "right" fact)) (rows (get "inputs" fact))

let widths net = (net.first, List.map List.length net.below, List.length net.units, net.m)

let smaller fact =
  known [ "kind"; "left"; "right"; "inputs" ] fact;
  let left = net (get "left" fact) and right = net (get "right" fact) in
  if left.depth > 2 || right.depth > 2 then raise (Left "deep nets");
  left.first = right.first && left.m = right.m
  && List.length right.units < List.length left.units
  && agree left right (rows (get "inputs" fact))

let other_output fact =
  known [ "kind"; "left"; "right"; "input" ] fact;
  let left = net (get "left" fact) and right = net (get "right" fact) and input = vector (get "input" fact) in
  let at net = List.hd (features net [ input ]) in
  check_other_output left.d right.d left.m left.n right.n left.units right.units left.shift right.shift
    (at left) (at right)

let data fact = rows (get "inputs" (get "data" fact)), rows (get "targets" (get "data" fact))

let mean_error net inputs targets =
  if List.length inputs <> List.length targets then malformed "inputs and targets differ in number";
  qred (qmult (qinv (size inputs)) (lsse qops net.units net.shift (List.combine inputs targets)))

let above_floor fact =
  known [ "kind"; "net"; "data"; "loss"; "noise_floor" ] fact;
  let net = net (get "net" fact) and inputs, targets = data fact in
  check_above net.d net.first net.m net.n (size inputs) net.units net.shift (features net inputs) inputs targets
    (number (get "loss" fact)) (number (get "noise_floor" fact))

let at_floor fact =
  known [ "kind"; "net"; "data"; "positive" ] fact;
  let net = net (get "net" fact) and inputs, targets = data fact in
  let entering = features net inputs in
  let loss = mean_error net entering targets in
  check_loss net.d net.m net.n (size inputs) net.units net.shift entering targets loss
  && check_floor net.first net.m (size inputs) inputs targets loss
  && (get "positive" fact = Json.Bool false || lpos loss)

let off before after chosen =
  if before.depth = 2 && after.depth = 2 then
    check_off before.d before.m before.n before.units after.units before.shift after.shift (circuit before chosen)
  else
    check_off_deep before.first before.m before.hidden after.hidden before.output after.output (selected before chosen)

let lower fact =
  known [ "kind"; "before"; "after"; "data"; "drop"; "circuit"; "wider" ] fact;
  let before = net (get "before" fact) and after = net (get "after" fact) and inputs, targets = data fact in
  let wider = has "wider" fact && get "wider" fact = Json.Bool true in
  let units = List.length before.units and others = List.length after.units in
  let entering = features before inputs in
  (if has "circuit" fact then off before after (get "circuit" fact)
   else if wider then before.depth = 2 && after.depth = 2 && before.first = after.first && units < others
   else widths before = widths after)
  && check_lower before.d after.d before.m before.n after.n (size inputs) before.units before.shift after.units
    after.shift entering (features after inputs) targets (mean_error before entering targets)
    (number (get "drop" fact))

(* The weights of all inputs, 0 where none is stated. *)
let inside fact =
  known [ "kind"; "inputs"; "point"; "combination" ] fact;
  let inputs = rows (get "inputs" fact) and point = vector (get "point" fact) in
  let count = List.length inputs in
  let weight entry = match list entry with
    | [ place; share ] when whole place >= 0 && whole place < count -> (whole place, number share)
    | _ -> malformed "a weight of no input" in
  let weights = List.map weight (list (get "combination" fact)) in
  let places = List.map fst weights in
  if not (no_twice places) then malformed "an input has two weights";
  let share place = try List.assoc place weights with Not_found -> q0 in
  check_inside (size point) (size inputs) inputs (List.init count share) point

let outside fact =
  known [ "kind"; "inputs"; "point"; "weights"; "bias" ] fact;
  let inputs = rows (get "inputs" fact) and point = vector (get "point" fact) in
  check_outside (size point) (size inputs) inputs (vector (get "weights" fact)) (number (get "bias" fact)) point

let shallow nets = if List.exists (fun net -> net.depth > 2) nets then raise (Left "deep nets")

let fitting net inputs targets =
  let loss = mean_error net inputs targets in
  if not (check_loss net.d net.m net.n (size inputs) net.units net.shift inputs targets loss) then
    malformed "the net does not fit the data";
  loss

(* A net of one output, the first of its units that are counted, and the residuals over the inputs in order: those of
   the distinct inputs, and how far each target is from the mean at its input. *)
let counted net units =
  if net.depth > 2 then raise (Left "deep nets");
  let units = whole units in
  if units < 0 then malformed "no count of units";
  if units > 6 then raise (Left "more than 6 units");
  units

let residuals inputs targets tables =
  if List.length inputs <> List.length targets then malformed "inputs and targets differ in number";
  let targets = List.map (function [ y ] -> y | _ -> malformed "not one output") targets in
  if List.length tables > 64 then raise (Left "more than 64 residuals");
  let over = try Signs.over_examples inputs targets with Invalid_argument _ -> raise (Left "many or wide inputs") in
  List.map over tables

let one_row table = match rows table with [ row ] -> row | _ -> malformed "a residual is not one row"

let least_loss net inputs targets units tables =
  let units = counted net units in
  let rs = residuals inputs targets tables in
  if rs = [] then malformed "there is no residual";
  check_minimum net.first net.n (nat units) (size inputs) net.units net.shift inputs targets rs
    (Signs.tree inputs rs)

let global_minimum fact =
  known [ "kind"; "net"; "data"; "units"; "residuals" ] fact;
  let inputs, targets = data fact in
  least_loss (net (get "net" fact)) inputs targets (get "units" fact) (List.map one_row (list (get "residuals" fact)))

let one = { qnum = Big_int_Z.unit_big_int; qden = Big_int_Z.unit_big_int }

let defection_price fact =
  known [ "kind"; "data"; "units"; "base"; "minimum"; "prices" ] fact;
  let inputs, targets = data fact and base = net (get "base" fact) and minimum = get "minimum" fact in
  known [ "net"; "residuals" ] minimum;
  if base.depth > 2 then raise (Left "deep nets");
  let lowest = net (get "net" minimum) in
  let loss net = fitting net inputs targets in
  let price entry =
    known [ "point"; "side"; "by"; "net"; "residuals"; "price" ] entry;
    let other = net (get "net" entry) and point = vector (get "point" entry) in
    let units = counted other (get "units" fact) and rs = residuals inputs targets (rows (get "residuals" entry)) in
    let up = match whole (get "side" entry) with 1 -> true | -1 -> false | _ -> malformed "no side" in
    check_price other.first other.n base.n (nat units) (size inputs) other.units other.shift base.units base.shift
      inputs targets point up (number (get "by" entry)) rs
      (Signs.tree (point :: inputs) (List.map (fun r -> lmult r :: r) rs))
    && check_equal [ (loss other, one) ] [ (loss lowest, one); (number (get "price" entry), one) ] in
  let prices = list (get "prices" fact) in
  if prices = [] then malformed "there is no price";
  least_loss lowest inputs targets (get "units" fact) (List.map one_row (list (get "residuals" minimum)))
  && List.for_all price prices

let rent fact =
  known [ "kind"; "net"; "data"; "circuit"; "value"; "weights"; "bias"; "rent"; "gain" ] fact;
  let net = net (get "net" fact) and inputs, targets = data fact in
  shallow [ net ];
  check_rent net.d net.m net.n (size inputs) net.units net.shift (circuit net (get "circuit" fact))
    (vector (get "value" fact)) inputs targets (vector (get "weights" fact)) (number (get "bias" fact))
    (fitting net inputs targets) (number (get "rent" fact)) (number (get "gain" fact))

let almost_idle fact =
  known [ "kind"; "net"; "data"; "circuit"; "value"; "apart" ] fact;
  let net = net (get "net" fact) and inputs, targets = data fact in
  shallow [ net ];
  List.length inputs = List.length targets
  && check_apart net.d net.m net.n (size inputs) net.units net.shift (circuit net (get "circuit" fact))
    (vector (get "value" fact)) inputs (number (get "apart" fact))

let uniform_gap fact =
  known [ "kind"; "net"; "after"; "data"; "direction"; "separation"; "spread"; "gap"; "drop"; "circuit" ] fact;
  let net = net (get "net" fact) and after = net (get "after" fact) and inputs, targets = data fact in
  shallow [ net; after ];
  let w = vector (get "direction" fact) in
  let h = number (get "separation" fact) and spread = number (get "spread" fact) in
  let gap = number (get "gap" fact) and drop = number (get "drop" fact) and count = size inputs in
  let loss = fitting net inputs targets in
  let floor = qred (qmult (qinv count) (lfloor net.m (List.combine inputs targets))) in
  check_gauge net.d count inputs w h spread
  && check_gap count h spread gap
  && check_floor net.d net.m count inputs targets floor
  && check_loss after.d after.m after.n count after.units after.shift inputs targets (qsub loss drop)
  && check_gain gap loss floor drop
  && (if has "circuit" fact then
        let chosen = circuit net (get "circuit" fact) in
        net.d = after.d && net.m = after.m && net.n = after.n
        && check_off net.d net.m net.n net.units after.units net.shift after.shift chosen
        && check_idle net.d net.m net.n count net.units net.shift inputs chosen (sent net chosen inputs)
      else
        let (_, b), a = List.nth after.units (List.length after.units - 1) in
        net.d = after.d && net.m = after.m && after.n = S net.n
        && check_one_more net.d net.m net.n net.units net.shift after.units after.shift w b a)

let kinds = [
  "rent", rent; "almost-idle", almost_idle; "uniform-gap", uniform_gap;
  "global-minimum", global_minimum; "defection-price", defection_price;
  "inside-hull", inside; "outside-hull", outside;
  "idle", idle; "not-idle", not_idle; "no-idle-circuit", no_idle; "same-outputs", same_outputs;
  "different-outputs", other_output;
  "smaller-class", smaller; "loss-above-floor", above_floor; "loss-at-floor", at_floor; "lower-loss", lower;
]
