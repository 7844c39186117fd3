/** Sources that many rows of the catalogue share; what only one row uses stands in that row. */
export const inferencexSpecs = 'github.com/SemiAnalysisAI/InferenceX-app@77ca49a gpu-specs.ts'
export const inferencexPower = 'github.com/SemiAnalysisAI/InferenceX-app@77ca49a gpu-power/types.ts'
export const inferencexCosts = 'github.com/SemiAnalysisAI/InferenceX-app@77ca49a lib/constants.ts'
