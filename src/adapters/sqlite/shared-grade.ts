/**
 * The grade of what somebody is told to have drawn in an interval `i`: of a board in slices it is shared by a rule, whatever measured the
 * whole.
 */
export const sharedGrade = "case when i.slices is null then i.grade else 'estimated' end"
