(* Hints for the checkers of minima: a tree of signs with multipliers. What is here is not trusted: it is checked. *)

open Absence_checkers

let rational q = Q.make q.qnum q.qden
let back q = { qnum = Q.num q; qden = Q.den q }
let lifted z = Array.of_list (Q.one :: List.map rational z)
let times a = Array.map (Q.mul a)
let plus = Array.map2 Q.add

(* Beyond these a tree may be large. *)
let most_points = 12
let widest = 3

let distinct zs =
  let add found z = if List.exists (fun (_, p) -> p = lifted z) found then found else (z, lifted z) :: found in
  let found = List.rev (List.fold_left add [] zs) in
  if List.length found > most_points || List.exists (fun z -> List.length z > widest) zs then invalid_arg "too many";
  found

(* Of residuals over the distinct inputs in order, those over the examples: their sum is that of the groups, and their
   bound is that of the means. *)
let over_examples inputs targets =
  let order (_, p) (_, q) = List.compare Q.compare (Array.to_list p) (Array.to_list q) in
  let points = List.sort order (distinct inputs) in
  let pairs = List.combine (List.map lifted inputs) (List.map rational targets) in
  let mean p =
    let group = List.filter_map (fun (z, y) -> if z = p then Some y else None) pairs in
    Q.div (List.fold_left Q.add Q.zero group) (Q.of_int (List.length group)) in
  let means = List.map (fun (_, p) -> (p, mean p)) points in
  fun r ->
    let table = List.combine means (List.map rational r) in
    let at (z, y) =
      let (_, mean), r = List.find (fun ((p, _), _) -> p = z) table in
      back (Q.add r (Q.sub y mean)) in
    List.map at pairs

(* The coefficients of each target by independent columns, if all are combinations of them. *)
let solve_all columns targets =
  let n = List.length columns and rows = Array.length (List.hd targets) in
  let table = Array.init rows (fun i -> Array.of_list (List.map (fun c -> c.(i)) (columns @ targets))) in
  let empty row = List.for_all (fun k -> Q.equal row.(n + k) Q.zero) (List.mapi (fun k _ -> k) targets) in
  let rec eliminate k =
    if k = n then Array.for_all empty (Array.sub table n (rows - n))
    else
      let rec pivot i = if i = rows then None else if Q.equal table.(i).(k) Q.zero then pivot (i + 1) else Some i in
      match pivot k with
      | None -> false
      | Some i ->
        let row = times (Q.inv table.(i).(k)) table.(i) in
        table.(i) <- table.(k);
        table.(k) <- row;
        Array.iteri (fun j other -> if j <> k then table.(j) <- plus other (times (Q.neg other.(k)) row)) table;
        eliminate (k + 1) in
  if n <= rows && eliminate 0 then Some (List.mapi (fun t _ -> List.init n (fun k -> table.(k).(n + t))) targets)
  else None

let solve columns target = Option.map List.hd (solve_all columns [ target ])

(* A target as a combination of some of the cone's generators, each with its place: no weight is negative. *)
let in_cone generators target =
  let rec choose chosen size rest =
    if size = 0 then
      match solve (List.map snd chosen) target with
      | Some weights when List.for_all (fun q -> Q.sign q >= 0) weights ->
        Some (List.map2 (fun (place, _) q -> (place, q)) chosen weights)
      | _ -> None
    else match rest with
      | [] -> None
      | one :: more ->
        (match choose (one :: chosen) (size - 1) more with
         | Some found -> Some found
         | None -> choose chosen size more) in
  let rec sizes k =
    if k > Array.length target then None
    else match choose [] k generators with Some found -> Some found | None -> sizes (k + 1) in
  sizes 0

(* The steps so far are counted from the first; the checker has the last one in front. *)
let multipliers steps found =
  List.init steps (fun k -> back (try List.assoc (steps - 1 - k) found with Not_found -> Q.zero))

type found = Cell of q list option list * q list option list | Step of bool * q list * q list * found
  | Fork of q list * found * found

let explore zs rs =
  let points = distinct zs in
  let width = match points with (_, p) :: _ -> Array.length p | [] -> invalid_arg "no points" in
  let weights r =
    let pairs = List.combine (List.map lifted zs) (List.map rational r) in
    let total p = List.fold_left (fun sum (z, q) -> if z = p then Q.add sum q else sum) Q.zero pairs in
    List.map (fun (_, p) -> (p, total p)) points in
  let weighted = List.map weights rs in
  let rec go steps cone active = function
    | [] ->
      let pull r =
        List.fold_left (fun sum (p, q) -> if List.mem p active then plus sum (times q p) else sum)
          (Array.make width Q.zero) r in
      let serve sign r = Option.map (multipliers steps) (in_cone cone (times (Q.of_int sign) (pull r))) in
      Cell (List.map (serve (-1)) weighted, List.map (serve 1) weighted)
    | (z, p) :: rest ->
      let minus = times Q.minus_one p in
      let now sign = if sign then p :: active else active in
      let next sign = go (steps + 1) ((steps, if sign then p else minus) :: cone) (now sign) in
      let known sign found = Step (sign, z, multipliers steps found, go (steps + 1) cone (now sign) rest) in
      match in_cone cone p, in_cone cone minus with
      | Some found, _ -> known true found
      | None, Some found -> known false found
      | None, None -> Fork (z, next true rest, next false rest) in
  go 0 [] [] points

let mask = List.map Option.is_some
let within small large = List.for_all2 (fun a b -> not a || b) small large

let rec masks = function
  | Cell (up, down) -> [ mask up; mask down ]
  | Step (_, _, _, found) -> masks found
  | Fork (_, one, other) -> masks one @ masks other

(* Only the least kinds of units are claimed: whatever serves those serves all. *)
let tree zs rs =
  let found = explore zs rs in
  let all = List.sort_uniq compare (masks found) in
  let least = List.filter (fun m -> not (List.exists (fun other -> other <> m && within other m) all)) all in
  let claim os =
    let chosen = List.find (fun m -> within m (mask os)) least in
    List.map2 (fun claimed o -> if claimed then o else None) chosen os in
  let rec build = function
    | Cell (up, down) -> Leaf (claim up, claim down)
    | Step (sign, z, ls, found) -> Known (sign, z, ls, build found)
    | Fork (z, one, other) -> Split (z, build one, build other) in
  build found
