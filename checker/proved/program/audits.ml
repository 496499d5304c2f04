(* Facts of an audit, about the net and the data of its folder, put to the checkers that Coq extracted. What is here
   reads, and chooses hints: it decides nothing. *)

module I = Z

open Absence_checkers
open Facts

let zero = Big_int_Z.zero_big_int
(* Rows at which hints are tried. *)
let trials = 8
let power e = { power = Big_int_Z.big_int_of_int e; under = Arrays.unit }

(* The number above/below, its powers of two apart. *)
let apart_from_two above below =
  let split z = if I.equal z I.zero then (z, 0) else let k = I.trailing_zeros z in (I.shift_right z k, k) in
  let m, e = split above and q, f = split below in
  { mantissa = m; exponent = I.of_int (e - f); divisor = q }

(* The least exponent of numbers that are not 0, if one is below this. *)
let least_exponent = List.fold_left (fun found n ->
    if I.sign n.mantissa = 0 then found else min found (I.to_int n.exponent))

(* A rational in hexadecimal. *)
let hexadecimal value =
  let integer words =
    let digits = if words <> "" && words.[0] = '-' then String.sub words 1 (String.length words - 1) else words in
    let hex c = ('0' <= c && c <= '9') || ('a' <= c && c <= 'f') in
    if digits = "" || not (String.for_all hex digits) then malformed "no hexadecimal number";
    let found = I.of_string_base 16 digits in
    if digits == words then found else I.neg found in
  let number above below =
    let above = integer above and below = integer below in
    if I.sign below <= 0 then malformed "no denominator";
    apart_from_two above below in
  match String.split_on_char '/' (text value) with
  | [ one ] -> number one "1"
  | [ one; other ] -> number one other
  | _ -> malformed "no hexadecimal number"

(* The least exponent of numbers that are not 0, and one that all are below. *)
let exponents array =
  let low = ref max_int and high = ref min_int in
  Arrays.each_exponent array (fun e fractions ->
      low := Int.min !low (e + I.trailing_zeros (I.of_int fractions));
      high := Int.max !high (e + I.numbits (I.of_int fractions)));
  if !low = max_int then (0, 0) else (!low, !high)

(* The net, layer by layer: units with weights and bias. *)
let layers arrays =
  let named name k = List.assoc_opt (Printf.sprintf "%s_%d.npy" name k) arrays in
  let rec from k = match named "weights" k, named "bias" k with
    | Some w, Some b ->
      if w.Arrays.vector || not b.Arrays.vector || b.columns <> w.rows then malformed "a layer has other biases";
      (w, b) :: from (k + 1)
    | None, None -> []
    | _ -> malformed "half a layer" in
  let found = from 1 in
  if 2 * List.length found <> List.length arrays then raise (Left "layers that are no floats");
  if List.length found < 2 then raise (Left "nets without a hidden layer");
  found

type subject = {
  d : nat; m : nat; hidden : number layer list; out : number layer; ints : I.t layer list; s : scale; es : scale list;
  wide : wide list Lazy.t; widths : int list; train : Arrays.array; deploy : Arrays.array option; beyond : float -> unit; bits : int;
  arrays : string -> (string * Arrays.array) list; table : string -> Arrays.array;
}

let units (w, b) = List.init w.Arrays.rows (fun j -> (Arrays.row w j, Arrays.number b 0 j))

let rec last = function [ one ] -> ([], one) | one :: more -> let init, l = last more in (one :: init, l) | [] -> malformed "no layer"

let some what = function Some found -> found | None -> malformed what

(* Scales: those of the layers are the least exponents of their weights, and that of the inputs is low enough for all
   biases to be whole numbers. *)
let subject folder files beyond =
  let arrays name = Arrays.file (Filename.concat folder (text (get "file" (get name files)))) in
  let floats = layers (arrays "net") in
  let width = (fst (List.hd floats)).Arrays.columns in
  let table name = match arrays name with
    | [ ("inputs.npy", found) ] when not found.vector && found.rows > 0 && found.columns = width -> found
    | _ -> malformed "no inputs of the net" in
  let train = table "train" in
  let deploy = if has "deploy" files then Some (table "deploy") else None in
  let hidden, out = last (List.map units floats) in
  let lowest = List.map (fun (w, b) -> (fst (exponents w), fst (exponents b))) floats in
  let lows, highs = List.split (List.map exponents (train :: Option.to_list deploy)) in
  let inputs = List.fold_left min max_int lows and high = List.fold_left max min_int highs in
  let _, down = List.fold_left (fun (at, down) (w, b) -> (at + w, max down (at + w - b))) (inputs, 0) lowest in
  let s = power (inputs - down) and es = List.map (fun (w, _) -> power w) lowest in
  let ints = some "no scale" (over_layers s es (hidden @ [ out ])) in
  let d = nat train.columns and bits = high - inputs + down in
  let wide = lazy (some "no packed layers" (widen Packing.parts (I.shift_left I.one bits) d ints)) in
  { d; wide; m = nat (List.length out); hidden; out; ints; s; es; train; deploy; arrays; table; beyond; bits;
    widths = List.map (fun (w, _) -> w.Arrays.rows) floats }

let get_row subject array i =
  let i = I.to_int i in
  if i land 15 = 0 then subject.beyond 0.;
  Arrays.row array i

(* How many training rows there are, and each by its number. *)
let numbered subject = (nat subject.train.Arrays.rows, get_row subject subject.train)

(* The values of a hidden layer at a training row, kept. *)
let at_row subject =
  let kept = Hashtbl.create 64 and most = I.shift_left I.one subject.bits in
  fun layer i ->
    match Hashtbl.find_opt kept (layer, i) with
    | Some found -> found
    | None ->
      let row = get_row subject subject.train (I.of_int i) in
      let found = values subject.d subject.s most (Lazy.force subject.wide) (nat layer) row in
      let found = some "a row of another length" found in
      Hashtbl.add kept (layer, i) found;
      found

(* How many last digits of its inputs a rough bound leaves out at each layer, by their sizes at some rows. *)
let cuts subject at =
  let rows = subject.train.rows in
  let size k i = List.fold_left (fun most v -> max most (I.numbits v)) 0 (at k i) in
  let bits k = if k = 0 then subject.bits else List.fold_left max 0 (List.map (size (k - 1)) [ 0; rows / 2; rows - 1 ]) in
  List.mapi (fun k _ -> I.of_int (max 0 (bits k - 25))) subject.hidden

let tried subject array =
  let n = array.Arrays.rows in
  let few = min n trials in
  List.init few (fun i -> some "a row of another scale" (overs subject.s (Arrays.row array (i * n / few))))

(* Claims of one value about a hidden layer, at all rows of an array. Units that short numbers show to be dead at some
   rows are looked at in short numbers first; the others in all digits. *)
let of_one_value subject array k claims =
  let units = List.nth subject.ints k in
  (* What enters the layer at some rows, and the layers below, each with how long its values are there. *)
  let through (rows, below) units =
    let above = List.map (fun x -> List.map zrelu (zaffine units x)) rows in
    (above, (units, Packing.longest (List.concat above)) :: below) in
  let at, below = List.fold_left through (tried subject array, []) (prefix k subject.ints) in
  let below = List.rev below in
  let forms cs = List.concat_map (fun c -> some "claims of another layer" (forms_of units c)) cs in
  let way kept cs = Packing.way kept below (forms cs) subject.bits in
  let block w picked chosen =
    subject.beyond 0.;
    Packing.block array (I.to_int subject.s.power) w picked chosen in
  let check ways cs =
    check_blocks block Packing.row_blocks subject.s subject.es ways subject.d subject.m subject.hidden subject.out
      (nat k) cs (nat array.Arrays.rows) in
  let dead, steady = List.partition_map (function Dead j -> Left j | c -> Right c) claims in
  let dead = List.fold_left either [] dead in
  let some_dead js = if List.mem true js then [ Dead js ] else [] in
  let passes kept cs = cs = [] || check (List.map (fun digits -> fst (way digits cs)) kept) cs in
  (* By the fewest digits that show them to be dead at those rows; where these do not show it, more are looked at. Layers
     below cost more than the units do: then those that any digits show so are looked at together. *)
  let rec by_digits left = function
    | [ all ] -> passes [ all ] (some_dead left @ steady)
    | digits :: more as kept ->
      let enough, more = if k = 0 then (digits, more) else Packing.(more, [ all ]) in
      let off_by = lazy (snd (way enough [ Dead left ])) in
      let shown j ((w, b) as u) =
        j && let far = I.shift_left (Lazy.force off_by u) 1 in
        List.for_all (fun h -> I.sign (I.add (zdot b w h) far) <= 0) at in
      let quick = List.map2 shown left (prefix (List.length left) units) in
      passes kept (some_dead quick) && by_digits (List.map2 (fun j q -> j && not q) left quick) more
    | [] -> true in
  by_digits dead Packing.(if k = 0 then [ few; some; more; all ] else [ some; more; all ])

(* What circuits send is compared in all digits. *)
let checked subject claims array =
  let sends, still = List.split (List.map (List.partition (function Sends _ -> true | _ -> false)) claims) in
  let rec all k = function
    | [] :: more -> all (k + 1) more
    | cs :: more -> of_one_value subject array k cs && all (k + 1) more
    | [] -> true in
  all 0 still
  && (List.for_all (fun cs -> cs = []) sends
      || check_rows subject.s subject.es [] subject.d subject.m subject.hidden subject.out sends
        (nat array.Arrays.rows) (get_row subject array))

let layer subject fact =
  let k = whole (get "layer" fact) - 1 in
  if k < 0 || k >= List.length subject.hidden then malformed "no such layer";
  (k, List.nth subject.widths k)

let pick width chosen =
  let mask = Array.make width false in
  List.iter (fun j -> if j < 0 || j >= width then malformed "no such unit" else mask.(j) <- true) chosen;
  Array.to_list mask

let nonempty mask = List.mem true mask
let truth = function Json.Bool b -> b | _ -> malformed "no truth value"

(* What units do: claims of those with one value, at all rows; the others at their witnesses, here. *)
let activities subject at fact =
  known [ "kind"; "layer"; "activity"; "idle"; "witness" ] fact;
  let k, width = layer subject fact in
  let activity = List.map text (list (get "activity" fact)) and silent = List.map truth (list (get "idle" fact)) in
  let witness = list (get "witness" fact) in
  if List.exists (fun n -> n <> width) [ List.length activity; List.length silent; List.length witness ] then
    malformed "not one entry for each unit";
  let where name = List.map (fun does -> does = name) activity in
  let dead = where "dead" and steady = where "constant" in
  let next = List.nth subject.ints (k + 1) in
  let varies j does alone pair = match does with
    | "dead" | "constant" -> alone
    | "varies" ->
      (match List.map whole (list pair) with
       | [ one; other ] ->
         let reads = check_reads next (nat j) in
         check_varies (at k one) (at k other) (nat j)
         && (if alone then check_unread next (unit_at (nat j)) else reads)
       | _ -> malformed "no witness")
    | _ -> malformed "no such activity" in
  let rec all j = function
    | does :: a, alone :: b, pair :: c -> varies j does alone pair && all (j + 1) (a, b, c)
    | _ -> true in
  let value = List.filteri (fun j _ -> List.nth steady j) (if nonempty steady then at k 0 else []) in
  let claims = (if nonempty dead then [ Dead dead ] else []) @ if nonempty steady then [ Steady (steady, value) ] else [] in
  (k, claims, fun () -> all 0 (activity, silent, witness))

type circuit = { at : int; members : bool list; sends : number list; fires : int list option }

let circuit subject fact =
  known [ "kind"; "layer"; "units"; "value"; "fires" ] fact;
  let k, width = layer subject fact in
  let chosen = List.map whole (list (get "units" fact)) in
  if chosen = [] || not (no_twice chosen) then malformed "no circuit";
  let fires = match get "fires" fact with Json.Null -> None | rows -> Some (List.map whole (list rows)) in
  { at = k; members = pick width chosen; sends = List.map hexadecimal (list (get "value" fact)); fires }

let always _ = true

type found = Units of int * claim list * (unit -> bool) | Circuit of circuit | Other

let read subject at fact = match text (get "kind" fact) with
  | "units" -> let k, claims, rest = activities subject at fact in Units (k, claims, rest)
  | "circuit" -> Circuit (circuit subject fact)
  | _ -> Other

(* One pass over the rows for all that is claimed of them; if it fails, each claim by itself. *)
let together check all =
  let passed = answer (fun () -> all = [] || check all) in
  if passed <> "refused" then fun _ -> passed else fun one -> if one = [] then "accepted" else answer (fun () -> check one)

let both one other = match one, other with
  | "accepted", last -> last
  | first, _ -> first

let answers subject facts =
  let at = at_row subject in
  let found = List.map (fun fact -> attempt (fun () -> read subject at fact)) facts in
  let every pick = List.concat_map (function Ok one -> pick one | Error _ -> []) found in
  let depth = List.length subject.hidden in
  let by_layer claims = List.init depth (fun k -> List.filter_map (fun (l, c) -> if l = k then Some c else None) claims) in
  let passes array claims = checked subject (by_layer claims) array in
  let unit_claims = function Units (k, claims, _) -> List.map (fun c -> (k, c)) claims | _ -> [] in
  let still = let all = every unit_claims in
    let masks = List.map still (by_layer all) in
    fun k -> List.nth masks k in
  let moves c = not (within c.members (still c.at)) in
  let sent c = (c.at, Sends (c.members, c.sends, always)) in
  let training = together (passes subject.train)
      (every unit_claims @ every (function Circuit c when moves c -> [ sent c ] | _ -> [])) in
  let first = together (passes { subject.train with rows = min 1 subject.train.rows })
      (every (function Circuit c when not (moves c) -> [ sent c ] | _ -> [])) in
  (* Units of one value: those of the facts about units that were accepted. *)
  let rests c = List.fold_left (fun worst one -> match one with
      | Ok (Units (k, claims, _) as u) when k = c.at -> both worst (training (unit_claims u)) | _ -> worst) "accepted" found in
  let fired c = match c.fires, subject.deploy with
    | Some rows, Some deploy ->
      if List.exists (fun i -> i < 0 || i >= deploy.Arrays.rows) rows || List.sort_uniq compare rows <> rows then
        malformed "no such rows";
      let fire = Hashtbl.create 64 in
      List.iter (fun i -> Hashtbl.replace fire i ()) rows;
      [ (c.at, Sends (c.members, c.sends, fun i -> not (Hashtbl.mem fire (I.to_int i)))) ]
    | Some (_ :: _), None -> malformed "no deployment inputs"
    | _ -> [] in
  let deployed = match subject.deploy with
    | None -> fun _ -> "accepted"
    | Some deploy -> together (passes deploy) (every (function Circuit c -> (try fired c with Json.Malformed _ -> []) | _ -> [])) in
  List.map (function
      | Error said -> said
      | Ok Other -> "left"
      | Ok (Units (_, _, rest) as u) -> both (answer rest) (training (unit_claims u))
      | Ok (Circuit c) ->
        let idle = if not (moves c) && rests c = "accepted" then first [ sent c ] else training [ sent c ] in
        both idle (try deployed (fired c) with Json.Malformed _ -> "refused")) found
